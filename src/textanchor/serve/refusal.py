"""Requests that are not answered as asked, in the shape that OpenAI's clients understand."""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, TypeAlias

from textanchor.escaping import shown

Scope: TypeAlias = MutableMapping[str, Any]
Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
App: TypeAlias = Callable[[Scope, Receive, Send], Awaitable[None]]

LONGEST = 300  # characters of a message
_PATH = re.compile(r"(?<![\w:/])(?:[A-Za-z]:)?(?:[/\\][^\s/\\:'\"]+){2,}")
_KINDS = {401: "authentication_error", 403: "permission_error", 404: "not_found_error", 429: "rate_limit_error"}
SAFE = ((b"x-content-type-options", b"nosniff"), (b"cache-control", b"no-store"), (b"referrer-policy", b"no-referrer"))


class Refusal(Exception):
    """A status, a message without paths, and what of the request it is about.

    `close` ends the connection, because the request's body was not read.
    """

    def __init__(
        self,
        status: int,
        message: str,
        *,
        code: str,
        param: str | None = None,
        retry: int | None = None,
        challenge: str = "Bearer",
        close: bool = False,
    ) -> None:
        super().__init__(message)
        self.status, self.message, self.code, self.param = status, public(message), code, param
        self.retry, self.challenge, self.close = retry, challenge, close

    @property
    def body(self) -> bytes:
        """The answer's JSON."""
        kind = _KINDS.get(self.status, "invalid_request_error" if self.status < 500 else "server_error")
        told = {"message": self.message, "type": kind, "param": self.param, "code": self.code}
        return json.dumps({"error": told}).encode()

    @property
    def headers(self) -> list[tuple[bytes, bytes]]:
        """The answer's headers."""
        body = self.body
        told = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode()), *SAFE]
        if self.retry is not None:
            told.append((b"retry-after", str(self.retry).encode()))
        if self.status == 401:
            told.append((b"www-authenticate", self.challenge.encode()))
        if self.close:
            told.append((b"connection", b"close"))
        return told


def public(message: str) -> str:
    """A message as strangers may read it: on one line, short, without paths of this machine."""
    text = _PATH.sub("<path>", shown(message))
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 3]}..."


def quoted(name: object) -> str:
    """What somebody sent, within a message."""
    text = shown(name)
    return f"'{text[:60]}...'" if len(text) > 60 else f"'{text}'"


async def answer(send: Send, refusal: Refusal) -> None:
    """Send it."""
    await send({"type": "http.response.start", "status": refusal.status, "headers": refusal.headers})
    await send({"type": "http.response.body", "body": refusal.body})
