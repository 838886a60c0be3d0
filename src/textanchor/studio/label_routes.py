"""`/studio/label/...`: a project as the tab Label works with it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeVar
from urllib.parse import quote

from fastapi import APIRouter, Request, Response
from pydantic_core import to_json
from starlette.concurrency import run_in_threadpool

from textanchor.errors import TextAnchorError
from textanchor.serve.parsing import check_type, read
from textanchor.serve.refusal import Refusal
from textanchor.studio.label.desk import Desk
from textanchor.studio.label.handing import handed
from textanchor.studio.label.requests import MOST, AddClass, Decide, Next, Propose, Take, Undo
from textanchor.studio.opened import Opened
from textanchor.studio.showing import keys

COUNT = 60  # items of a grid, at most
VALUES = 4 * MOST
T = TypeVar("T")
WORK: Mapping[str, tuple[type[Any], Callable[[Desk, Any], object]]] = {
    "next": (Next, Desk.next),
    "decide": (Decide, Desk.decide),
    "undo": (Undo, lambda desk, asked: desk.undo(asked.who)),
    "class": (AddClass, Desk.add_class),
    "propose": (Propose, Desk.propose),
    "take": (Take, lambda desk, asked: desk.take(asked.who)),
}


def label_routes(opened: Opened) -> APIRouter:
    """All of them."""
    router = APIRouter(prefix="/studio/label/{where}")
    desks = {id: Desk(source, opened.limits) for id, source in opened.projects.items()}
    _looking(router, desks)
    _working(router, desks)
    return router


def _looking(router: APIRouter, desks: dict[str, Desk]) -> None:
    """What changes nothing."""

    @router.get("")
    def standing(where: str) -> Response:
        """How it stands."""
        return _told(_desk(desks, where).standing)

    @router.get("/version")
    def version(where: str) -> Response:
        """Another word when anybody has written anything; asked every few seconds."""
        return _told(lambda: _desk(desks, where).version)

    @router.get("/items")
    def items(where: str, keys: str) -> Response:
        """Some items as they stand now."""
        return _told(lambda: _desk(desks, where).shown(keys.split(",")[:COUNT]))

    @router.get("/grid")
    def grid(where: str, proposed: str = "", surest: bool = True, count: int = 24) -> Response:
        """Items that are proposed as one class."""
        return _told(lambda: _desk(desks, where).grid(proposed, surest=surest, count=max(1, min(count, COUNT))))

    @router.get("/suspects")
    def suspects(where: str, count: int = 24) -> Response:
        """Labels that are probably wrong."""
        return _told(lambda: _desk(desks, where).suspects(max(1, min(count, COUNT))))

    @router.get("/cluster")
    def cluster(where: str, number: int = 0, anew: bool = False) -> Response:
        """Items that lie together."""
        return _told(lambda: _desk(desks, where).cluster(number, anew=anew))

    @router.get("/export/{form}")
    def export(where: str, form: str) -> Response:
        """The labels as a file."""
        source = _desk(desks, where).source
        try:
            found = handed(source, form)
        except TextAnchorError as why:
            raise Refusal(400, str(why), code="invalid_request") from None
        kept = {"content-disposition": f"attachment; filename*=UTF-8''{quote(found.name, safe='')}"}
        return Response(found.content, media_type=found.kind, headers=kept)


def _working(router: APIRouter, desks: dict[str, Desk]) -> None:
    """What is written down; the answer comes when it is on disk."""
    for name, (kind, done) in WORK.items():
        router.post(f"/{name}", name=name)(_written(desks, kind, done))


def _written(desks: dict[str, Desk], kind: type[T], done: Callable[[Desk, T], object]) -> Callable[..., Awaitable[Response]]:
    async def answer(where: str, request: Request) -> Response:
        asked = await _asked(request, kind)
        return await _done(lambda: done(_desk(desks, where), asked))

    return answer


def _desk(desks: dict[str, Desk], where: str) -> Desk:
    if where not in desks:
        raise keys.gone()
    return desks[where]


async def _asked(request: Request, kind: type[T]) -> T:
    check_type(request.headers.get("content-type", ""))
    return read(await request.body(), kind, values=VALUES)


async def _done(act: Callable[[], Any]) -> Response:
    return await run_in_threadpool(_told, act)


def _told(act: Callable[[], Any]) -> Response:
    """What it gives, as JSON. What the library refuses is the page's to show."""
    try:
        found = act()
    except TextAnchorError as why:
        raise Refusal(400, str(why), code="invalid_request") from None
    return Response(to_json({"answer": found}, inf_nan_mode="null"), media_type="application/json")  # records as objects
