"""`/studio/static/...` and `/studio/report/...`: the studio's own files, and reports that run nothing."""

from __future__ import annotations

from fastapi import APIRouter, Response

from textanchor.errors import TextAnchorError
from textanchor.serve.refusal import Refusal
from textanchor.studio.opened import Opened
from textanchor.studio.reports import POLICY
from textanchor.studio.static_files import names, static

KINDS = {"js": "text/javascript", "css": "text/css"}


def page_routes(opened: Opened) -> APIRouter:
    """Both."""
    router, own_names = APIRouter(), names(tuple(KINDS))

    @router.get("/studio/static/{name}")
    def own(name: str) -> Response:
        """A file by its name in a list, which is no path."""
        if name not in own_names:
            raise Refusal(404, "no such file", code="not_found")
        return Response(static(name), media_type=KINDS[name.rpartition(".")[2]], headers={"cache-control": "no-cache"})

    @router.get("/studio/report/{id}")
    def report(id: str) -> Response:
        """A report in a frame, with a policy of its own."""
        try:
            content = opened.reports[id].content
        except KeyError:
            raise Refusal(404, "no such report", code="not_found") from None
        except TextAnchorError as why:
            raise Refusal(404, str(why), code="not_found") from None
        framed = {"content-security-policy": POLICY, "x-frame-options": "SAMEORIGIN"}
        return Response(content, media_type="text/html; charset=utf-8", headers=framed)

    return router
