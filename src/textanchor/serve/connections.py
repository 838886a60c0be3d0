"""Connections that do not stay for nothing: a head must be there in time, and an answer must be taken."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any


class Guarded(asyncio.Protocol):
    """Hands everything to uvicorn's protocol, and ends the connection when its client keeps still for too long.

    uvicorn itself waits for ever for the first request's head, and for a client that does not read its answer.
    """

    def __init__(self, inner: Any, seconds: float, pace: int) -> None:
        self._inner, self._seconds, self._pace = inner, seconds, pace
        self._head: asyncio.TimerHandle | None = None
        self._writing: asyncio.TimerHandle | None = None
        self._transport: Any = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The first head is waited for."""
        self._transport = transport
        self._inner.connection_made(transport)
        self._expect_head()

    def data_received(self, data: bytes) -> None:
        """Bytes of a head or of a body; a body's are timed where it is read."""
        self._inner.data_received(data)
        self._expect_head()

    def eof_received(self) -> bool | None:
        """The client sends no more."""
        ended: bool | None = self._inner.eof_received()
        return ended

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing is waited for."""
        for timer in (self._head, self._writing):
            if timer is not None:
                timer.cancel()
        self._inner.connection_lost(exc)

    def pause_writing(self) -> None:
        """The client does not take its answer."""
        if self._writing is None:
            self._expect_reading()
        self._inner.pause_writing()

    def resume_writing(self) -> None:
        """It does."""
        if self._writing is not None:
            self._writing.cancel()
            self._writing = None
        self._inner.resume_writing()

    def _expect_head(self) -> None:
        """Start waiting where no request is under way, stop where one is."""
        cycle = self._inner.cycle
        if cycle is not None and not cycle.response_complete:
            if self._head is not None:
                self._head.cancel()
                self._head = None
        elif self._head is None:
            self._head = self._later()

    def _expect_reading(self) -> None:
        """Start waiting for the client to take what is written, at the pace that bodies have to keep too."""
        unread = self._transport.get_write_buffer_size()

        def look() -> None:
            if self._transport.get_write_buffer_size() > unread - self._pace * self._seconds:
                self._transport.abort()
            else:
                self._expect_reading()

        self._writing = asyncio.get_running_loop().call_later(self._seconds, look)

    def _later(self) -> asyncio.TimerHandle:
        return asyncio.get_running_loop().call_later(self._seconds, self._transport.abort)


def guarded(seconds: float, pace: int) -> Callable[..., Guarded]:
    """What uvicorn is given as its protocol: seconds for a head, and bytes a second at which an answer must be taken."""
    from uvicorn.protocols.http.h11_impl import H11Protocol

    def make(**settings: Any) -> Guarded:
        return Guarded(H11Protocol(**settings), seconds, pace)

    return make
