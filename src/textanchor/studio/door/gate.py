"""What every request to the studio goes through before a page sees it.

Its Host and Origin, as in the server: a page elsewhere may not use the studio through somebody's browser. Then the invitation,
the paths that are open, and the size of what is sent. Every answer forbids the browser to load anything from elsewhere.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from textanchor.serve.gate import check_host, check_origin
from textanchor.serve.parsing import strict_json
from textanchor.serve.refusal import SAFE, App, Message, Receive, Refusal, Scope, Send, answer
from textanchor.studio.door.invitation import ENTER, Invitation, entrance
from textanchor.studio.door.looking import looked_at
from textanchor.studio.door.paths import JOIN, UPLOAD, is_open, is_uploaded, named_files
from textanchor.studio.door.settings import Door

log = logging.getLogger("textanchor.studio")
POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; media-src 'self' data: blob:; font-src 'self' data:; connect-src 'self' data: blob:; "
    "worker-src 'self' blob:; object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'"
)  # Gradio's templates are evaluated; nothing that they could be made to do reaches another machine
HEADERS = (
    *(header for header in SAFE if header[0] != b"referrer-policy"),
    (b"referrer-policy", b"same-origin"),
    (b"content-security-policy", POLICY.encode()),
    (b"x-frame-options", b"DENY"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", b"microphone=(self), camera=(), geolocation=()"),
)
FORM = 4096  # bytes of the form with a token
WELCOME = b'<!doctype html><title>textanchor studio</title><script>location.replace("/")</script><a href="/">Enter</a>'
"""In place of a redirect: a browser that came from another site would not send the cookie on one."""
LASTING = ("/assets/", "/static/")  # whose files never change under one name
VALUES = 20_000  # of one request


@dataclass(frozen=True)
class Gate:
    """Lets requests through to `app`, or answers them; `kinds` are those of the endings of files that may be sent."""

    app: App
    door: Door
    kinds: Mapping[str, str] = field(default_factory=dict)
    invitation: Invitation = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Tokens become digests."""
        object.__setattr__(self, "invitation", Invitation(self.door.access))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Every way in which a request can end is an answer."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
        if scope["type"] != "http":
            return
        sending = _Sending(scope["path"], send)
        try:
            await self._guarded(scope, receive, sending)
        except Refusal as why:
            if not sending.begun:
                await answer(sending, why)
        except Exception:
            log.exception("%s %s failed", scope["method"], scope["path"][:100].encode("unicode_escape").decode())
            if not sending.begun:
                await answer(sending, Refusal(500, "the studio failed; its log says how", code="internal_error", close=True))

    async def _guarded(self, scope: Scope, receive: Receive, send: Send) -> None:
        check_host(scope, self.door.access)
        if not _is_link(scope):
            check_origin(scope, self.door.access)
        token = await self._token(scope, receive)
        if token is not None and self.invitation.accepts(token):
            html = (b"content-type", b"text/html; charset=utf-8")
            await _reply(send, 200, WELCOME, [html, (b"set-cookie", self.invitation.set_cookie(token))])
        elif token is None and (self.door.open or self.invitation.admitted(scope)):
            await self._admitted(scope, receive, send)
        else:
            await _ask(scope, send, wrong=token is not None)

    async def _token(self, scope: Scope, receive: Receive) -> str | None:
        """What a link or the form brings as its token."""
        if scope["path"] == "/" and scope["method"] == "GET":
            return self.invitation.token_in(scope.get("query_string", b""))
        if scope["path"] == ENTER and scope["method"] == "POST":
            return self.invitation.token_in(await _whole(receive, FORM)) or ""
        return None

    async def _admitted(self, scope: Scope, receive: Receive, send: Send) -> None:
        method, path = scope["method"], scope["path"]
        if not is_open(method, path, self.door.uploads):
            raise Refusal(404, "no such page", code="not_found", close=method == "POST")
        if method != "POST":
            await self.app(scope, receive, send)
        elif path.rstrip("/") == UPLOAD:
            self._check_room()
            _check_length(scope, self.door.file)
            told = next((value for key, value in scope["headers"] if key.lower() == b"content-type"), b"").decode("latin-1")
            await self.app(scope, looked_at(_bounded(receive, self.door.file), told, self.kinds), send)
        else:
            body = await _whole(receive, self.door.body)
            if path.rstrip("/") == JOIN:
                self._check_files(body)
            await self.app(scope, _again(body, receive), send)

    def _check_room(self) -> None:
        held = sum(file.stat().st_size for file in self.door.uploads.rglob("*") if file.is_file())
        if held + self.door.file > self.door.all_files:
            raise Refusal(503, "the room for files that are sent is used up; restart the studio", code="full", close=True)

    def _check_files(self, body: bytes) -> None:
        """Gradio copies whatever file or address a request names, for one that is mounted; only what was sent may be named."""
        if not all(is_uploaded(one, self.door.uploads) for one in named_files(strict_json(body, values=VALUES))):
            raise Refusal(403, "the request names a file that was not sent to the studio", code="foreign_file")


def _is_link(scope: Scope) -> bool:
    """Whether somebody followed a link with a token, which may stand in a message on another site."""
    told = dict(scope["headers"])
    link = scope["path"] == "/" and scope["method"] == "GET" and told.get(b"sec-fetch-mode") == b"navigate"
    return link and scope.get("query_string", b"").startswith(b"token=")


class _Sending:
    """Sends an answer on, with the headers that it lacks."""

    def __init__(self, path: str, send: Send) -> None:
        self.begun = False
        self._send = send
        self._lasting = path.startswith(LASTING)

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.begun = True
            there = {key.lower() for key, _ in message["headers"]}
            added = [header for header in HEADERS if header[0] not in there]
            if self._lasting:
                added = [header for header in added if header[0] != b"cache-control"]
            message["headers"] = [*message["headers"], *added]
        await self._send(message)


def _check_length(scope: Scope, most: int) -> None:
    """Before a byte is read: what is refused while Gradio reads it would be a failure of Gradio's."""
    told = next((value for key, value in scope["headers"] if key.lower() == b"content-length"), b"")
    if not told.isdigit():
        raise Refusal(411, "say how many bytes are sent", code="length_needed", close=True)
    if int(told) > most:
        raise Refusal(413, f"more than {most:,} bytes", code="body_too_large", close=True)


def _bounded(receive: Receive, most: int) -> Receive:
    """What comes in, until it is too much."""
    read = 0

    async def bounded() -> Message:
        nonlocal read
        message = await receive()
        read += len(message.get("body", b""))
        if read > most:
            raise Refusal(413, f"more than {most:,} bytes", code="body_too_large", close=True)
        return message

    return bounded


async def _whole(receive: Receive, most: int) -> bytes:
    bounded, body, more = _bounded(receive, most), bytearray(), True
    while more:
        message = await bounded()
        if message["type"] == "http.disconnect":
            raise Refusal(400, "the request broke off", code="bad_request", close=True)
        body += message.get("body", b"")
        more = message.get("more_body", False)
    return bytes(body)


def _again(body: bytes, receive: Receive) -> Receive:
    rest: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def next_message() -> Message:
        return rest.pop() if rest else await receive()

    return next_message


async def _ask(scope: Scope, send: Send, *, wrong: bool) -> None:
    """For a person a page, for a program an error."""
    wanted = b"".join(value for key, value in scope["headers"] if key.lower() == b"accept")
    if b"text/html" in wanted:
        await _reply(send, 401, entrance(wrong), [(b"content-type", b"text/html; charset=utf-8")])
    else:
        told = {"error": {"message": "an invitation is needed: open the link that the studio printed", "code": "no_invitation"}}
        await _reply(send, 401, json.dumps(told).encode(), [(b"content-type", b"application/json")])


async def _reply(send: Send, status: int, body: bytes, headers: list[tuple[bytes, bytes]]) -> None:
    start: Any = {"type": "http.response.start", "status": status}
    await send({**start, "headers": [*headers, (b"content-length", str(len(body)).encode())]})
    await send({"type": "http.response.body", "body": body})
