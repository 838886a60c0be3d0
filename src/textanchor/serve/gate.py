"""Who is let in: the right Host, no foreign Origin, a known token. Checked before a byte of a body is read.

A page in somebody's browser can reach a server on 127.0.0.1, under a name that its owner lets point there (DNS rebinding). It
cannot choose the headers Host and Origin, and does not know the token.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from textanchor.serve.lifecycle import Lifecycle
from textanchor.serve.refusal import App, Receive, Refusal, Scope, Send
from textanchor.serve.settings import Access
from textanchor.serve.tokens import Keyring

OPEN = "/healthz"
BROWSED = ("/docs", "/openapi.json")  # a browser asks its user for the token
CLIENT = "textanchor.client"  # where the scope says whose token it was
LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
EVERYWHERE = ("", "0.0.0.0", "::")  # addresses to listen on that are nobody's name
_AUTHORITY = re.compile(r"(\[[0-9a-f:.]{2,45}\]|[a-z0-9._-]{1,253})(?::([0-9]{1,5}))?")
_ORIGIN = re.compile(r"(https?)://(.+)")
_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True)
class Gate:
    """Lets requests through to `app`, or raises a `Refusal`."""

    app: App
    access: Access
    lifecycle: Lifecycle
    keys: Keyring = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """The tokens become digests."""
        object.__setattr__(self, "keys", Keyring(self.access.tokens))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Check, note the client, go on."""
        if scope["path"] != OPEN:
            check_host(scope, self.access)
            check_origin(scope, self.access)
            scope[CLIENT] = self._client(scope)
            if self.lifecycle.closing:
                raise Refusal(503, "the server is stopping", code="shutting_down", retry=5, close=True)
        await self.app(scope, receive, send)

    def _client(self, scope: Scope) -> int:
        given = _values(scope, b"authorization")
        basic = scope["path"] in BROWSED and scope["method"] == "GET"
        client = self.keys.owner(given[0], basic=basic) if len(given) == 1 else None
        if client is None:
            what = "no token was sent" if not given else "the token is not known"
            raise Refusal(
                401,
                f"{what}; send the header 'Authorization: Bearer TOKEN'",
                code="invalid_api_key",
                challenge='Basic realm="textanchor", charset="UTF-8"' if basic else "Bearer",
                close=True,
            )
        return client


def check_host(scope: Scope, access: Access) -> None:
    """Raises `Refusal` unless the request calls the server by one of its names."""
    named = _values(scope, b"host")
    if len(named) != 1:
        raise Refusal(400, f"{len(named)} Host headers; exactly one is needed", code="bad_host", close=True)
    if not _is_ours(named[0].decode("latin-1"), access, _port(scope, access), default=80):
        raise Refusal(
            421, "this server does not go by that Host; name further ones with --allow-host", code="bad_host", close=True
        )


def check_origin(scope: Scope, access: Access) -> None:
    """Raises `Refusal` for a request that a page of another site makes."""
    for value in _values(scope, b"origin"):
        told = _ORIGIN.fullmatch(value.decode("latin-1").lower())
        if told is None or not _is_ours(told[2], access, _port(scope, access), default=_PORTS[told[1]]):
            raise Refusal(403, "requests from pages of other sites are refused", code="foreign_origin", close=True)
    if not _values(scope, b"origin") and any(v in (b"cross-site", b"same-site") for v in _values(scope, b"sec-fetch-site")):
        raise Refusal(403, "requests from pages of other sites are refused", code="foreign_origin", close=True)


def _is_ours(authority: str, access: Access, port: int, *, default: int) -> bool:
    told = _AUTHORITY.fullmatch(authority.lower())
    if told is None:
        return False
    names = [name.lower() for name in access.names]
    if told[0] in names or told[1] in names:
        return True
    own = () if access.host in EVERYWHERE else (f"[{access.host}]" if ":" in access.host else access.host,)
    return told[1] in (*LOOPBACK, *own) and int(told[2] or default) == port


def _port(scope: Scope, access: Access) -> int:
    """The port of the connection itself: port 0 means any."""
    server = scope.get("server")
    return access.port or int((server or ("", 0))[1] or 0)


def _values(scope: Scope, name: bytes) -> list[bytes]:
    return [value for key, value in scope["headers"] if key.lower() == name]
