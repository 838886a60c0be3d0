"""Parts of a file, as players ask for them to jump about (RFC 9110, section 14)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

from fastapi import Response
from fastapi.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from textanchor.studio.showing.playing import Playable

CHUNK = 256 << 10
_RANGE = re.compile(r"bytes=([0-9]{0,18})-([0-9]{0,18})")


@dataclass(frozen=True, kw_only=True)
class Span:
    """Bytes from `first` to `last`, both counted."""

    first: int
    last: int

    def __len__(self) -> int:
        return self.last - self.first + 1


def span_of(header: str, size: int) -> Span | None:
    """What of a file of so many bytes is asked for; all of it where the header asks for nothing that we give in parts.

    None: nothing of the file lies there.
    """
    told = _RANGE.fullmatch(header.strip())
    whole = Span(first=0, last=size - 1)
    if told is None or not (told[1] or told[2]):
        return whole
    if not told[1]:
        count = min(int(told[2]), size)
        return Span(first=size - count, last=size - 1) if count else None
    first, last = int(told[1]), min(int(told[2] or size), size - 1)
    if told[2] and int(told[2]) < first:
        return whole
    return Span(first=first, last=last) if first < size else None


def sent(found: Playable, header: str | None) -> Response:
    """The file, or the part of it that is asked for."""
    span = span_of(header or "", found.size)
    headers = {"accept-ranges": "bytes", "cache-control": "private, max-age=600"}
    if span is None:
        found.stream.close()
        return Response(status_code=416, headers={**headers, "content-range": f"bytes */{found.size}"})
    headers["content-length"] = str(len(span))
    if header and len(span) < found.size:
        headers["content-range"] = f"bytes {span.first}-{span.last}/{found.size}"
    status = 206 if "content-range" in headers else 200
    return _Sent(_pieces(found, span), closing=found.stream, status_code=status, headers=headers, media_type=found.kind)


class _Sent(StreamingResponse):
    """Closes the file also where the player goes away before the first piece, as players do."""

    def __init__(self, *args: Any, closing: BinaryIO, **told: Any) -> None:
        super().__init__(*args, **told)
        self.closing = closing

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        with self.closing:
            await super().__call__(scope, receive, send)


def _pieces(found: Playable, span: Span) -> Iterator[bytes]:
    found.stream.seek(span.first)
    left = len(span)
    while left and (piece := found.stream.read(min(CHUNK, left))):
        left -= len(piece)
        yield piece
