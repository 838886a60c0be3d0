"""Outermost: every request is counted and timed, and every way in which one can end is an answer."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass

from textanchor.serve.bodies import Gone
from textanchor.serve.lifecycle import Lifecycle
from textanchor.serve.metrics import Metrics
from textanchor.serve.refusal import SAFE, App, Message, Receive, Refusal, Scope, Send, answer

log = logging.getLogger("textanchor.serve")


@dataclass(frozen=True)
class Watch:
    """Answers refusals and failures of `app`."""

    app: App
    metrics: Metrics
    lifecycle: Lifecycle

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run; clients learn nothing of a failure but that there was one, the log all of it."""
        if scope["type"] != "http":
            return
        start, status = time.perf_counter(), list[int]()

        async def noting(message: Message) -> None:
            if message["type"] == "http.response.start":
                status.append(int(message["status"]))
                message["headers"] = [*message["headers"], *_missing(message["headers"])]
            await send(message)

        with self.lifecycle.request():
            try:
                await self.app(scope, receive, noting)
            except Gone:
                status.append(499)
            except Refusal as why:
                if not status:
                    await answer(noting, why)
            except Exception:
                log.exception("%s %s failed", scope["method"], scope["path"][:100].encode("unicode_escape").decode())
                if not status:
                    await answer(noting, Refusal(500, "the server failed; its log says how", code="internal_error", close=True))
        self.metrics.request(scope["path"], scope["method"], status[0] if status else 500, time.perf_counter() - start)


def _missing(headers: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    there = {key.lower() for key, _ in headers}
    return [header for header in SAFE if header[0] not in there]
