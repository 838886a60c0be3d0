"""Request bodies: read whole before anything is parsed, no larger and no slower than allowed, counted as they come in."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass

from textanchor.serve.admission import PER_BODY, TICKET, Admission, Ticket
from textanchor.serve.gate import CLIENT
from textanchor.serve.refusal import App, Message, Receive, Refusal, Scope, Send
from textanchor.serve.settings import Bounds


class Gone(Exception):
    """The client went away before its request was whole."""


@dataclass(frozen=True)
class Bodies:
    """Hands requests on with their whole body; those that have none as they are."""

    app: App
    bounds: Bounds
    admission: Admission

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Read, then answer in time. Raises `Refusal` (400, 408, 413, 415, 504) or `Gone`."""
        announced = self._announced(scope)
        if scope["method"] != "POST":
            await self._in_time(scope, receive, send)
            return
        with self.admission.request(scope.get(CLIENT, -1)) as ticket:
            scope[TICKET] = ticket
            body = await self._whole(receive, announced, ticket)
            await self._in_time(scope, _again(body, receive), send)

    async def _in_time(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            async with asyncio.timeout(self.bounds.answer):
                await self.app(scope, receive, send)
        except TimeoutError:
            raise Refusal(504, f"not answered within {self.bounds.answer:g} s", code="timeout", close=True) from None

    def _announced(self, scope: Scope) -> int | None:
        """The body's length as its headers say, None where they say none."""
        told = {key.lower(): value for key, value in scope["headers"]}
        if b"content-length" in told and b"transfer-encoding" in told:
            raise Refusal(400, "both Content-Length and Transfer-Encoding are given", code="bad_request", close=True)
        if told.get(b"content-encoding", b"identity").lower() != b"identity":
            raise Refusal(415, "compressed bodies are not taken", code="unsupported_encoding", close=True)
        length = told.get(b"content-length")
        if length is None:
            return None
        if not length.isdigit() or int(length) > self.bounds.body:
            raise self._too_large()
        return int(length)

    async def _whole(self, receive: Receive, announced: int | None, ticket: Ticket) -> bytes:
        """The pieces of a body, until it is whole. Raises `Refusal` for one that is too large or too slow."""
        if announced:
            ticket.grow(announced * PER_BODY)
        read, start, more = bytearray(), time.monotonic(), True
        while more:
            message = await self._next(receive, start + self.bounds.body_grace + len(read) / self.bounds.pace)
            piece, more = message.get("body", b""), message.get("more_body", False)
            if len(read) + len(piece) > self.bounds.body:
                raise self._too_large()
            if announced is None:
                ticket.grow(len(piece) * PER_BODY)
            read += piece
        return bytes(read)

    async def _next(self, receive: Receive, end: float) -> Message:
        """The next piece, unless its client has fallen behind the pace, or gone."""
        try:
            message = await asyncio.wait_for(receive(), max(0.0, end - time.monotonic()))
        except TimeoutError:
            raise Refusal(408, "the body comes too slowly", code="slow_body", close=True) from None
        if message["type"] == "http.disconnect":
            raise Gone
        return message

    def _too_large(self) -> Refusal:
        return Refusal(413, f"the body has more than {self.bounds.body:,} bytes", code="body_too_large", close=True)


def _again(body: bytes, receive: Receive) -> Receive:
    """What hands out a body that was read, and then what else the client does."""
    rest: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def next_message() -> Message:
        return rest.pop() if rest else await receive()

    return next_message
