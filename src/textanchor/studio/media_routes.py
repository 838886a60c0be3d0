"""`/studio/picture/...` and `/studio/play/...`: what is seen and heard of an item that a key names."""

from __future__ import annotations

from collections.abc import Mapping

from fastapi import APIRouter, Request, Response

from textanchor.errors import ItemError
from textanchor.runtime import Limits
from textanchor.serve.refusal import Refusal
from textanchor.studio.showing import keys
from textanchor.studio.showing.pictures import SIDES, Pictures
from textanchor.studio.showing.playing import playable
from textanchor.studio.showing.ranges import sent
from textanchor.studio.sources import Source

HOUR = {"cache-control": "private, max-age=3600"}  # a key names one content for as long as its item stands


def media_routes(sources: Mapping[str, Source], limits: Limits) -> APIRouter:
    """Both."""
    router, pictures = APIRouter(), Pictures(limits)

    @router.get("/studio/picture/{where}/{key}/{size}")
    def picture(where: str, key: str, size: str) -> Response:
        """An item's picture, drawn anew."""
        source = _known(sources, where)
        if size not in SIDES:
            raise keys.gone()
        item = source.item(key)
        try:
            content, kind = pictures.of(f"{where}/{key}", item, source.roots, size)
        except ItemError as why:
            raise Refusal(404, why.reason, code="not_shown") from None
        return Response(content, media_type=kind, headers=HOUR)

    @router.get("/studio/play/{where}/{key}")
    def play(request: Request, where: str, key: str) -> Response:
        """An item's sound or film, or a part of it."""
        source = _known(sources, where)
        try:
            found = playable(source.item(key), source.roots, limits)
        except ItemError as why:
            raise Refusal(404, why.reason, code="not_shown") from None
        return sent(found, request.headers.get("range"))

    return router


def _known(sources: Mapping[str, Source], where: str) -> Source:
    if where not in sources:
        raise keys.gone()
    return sources[where]
