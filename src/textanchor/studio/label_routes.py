"""`/studio/label/...`: a project as the tab Label works with it."""

from __future__ import annotations

from collections.abc import Callable
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
    """What is written down."""

    @router.post("/next")
    async def following(where: str, request: Request) -> Response:
        """Items to decide on."""
        asked = await _asked(request, Next)
        return await _done(lambda: _desk(desks, where).next(asked))

    @router.post("/decide")
    async def decide(where: str, request: Request) -> Response:
        """Decisions; the answer comes when they are on disk."""
        asked = await _asked(request, Decide)
        return await _done(lambda: _desk(desks, where).decide(asked))

    @router.post("/undo")
    async def undo(where: str, request: Request) -> Response:
        """One step back."""
        asked = await _asked(request, Undo)
        return await _done(lambda: _desk(desks, where).undo(asked.who))

    @router.post("/class")
    async def add_class(where: str, request: Request) -> Response:
        """One more class."""
        asked = await _asked(request, AddClass)
        return await _done(lambda: _desk(desks, where).add_class(asked))

    @router.post("/propose")
    async def propose(where: str, request: Request) -> Response:
        """The machine begins."""
        asked = await _asked(request, Propose)
        return await _done(lambda: _desk(desks, where).propose(asked))

    @router.post("/take")
    async def take(where: str, request: Request) -> Response:
        """What the promise lets through is taken over."""
        asked = await _asked(request, Take)
        return await _done(lambda: _desk(desks, where).take(asked.who))


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
