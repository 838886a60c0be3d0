"""An invitation: a link with a token opens the door once, and a cookie keeps it open for that browser."""

from __future__ import annotations

import hashlib
import hmac
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qs

from textanchor.serve.refusal import Scope
from textanchor.serve.settings import Access
from textanchor.serve.tokens import Keyring
from textanchor.studio.static_files import static

ENTER, TOKEN = "/studio/enter", "token"
_PURPOSE = b"textanchor studio"


class Invitation:
    """Knows tokens from strangers' guesses, in a time that says nothing of them.

    A cookie holds no token, but what only a token gives: whoever reads it cannot invite others. Cookies of one host are shared
    by all its ports, so that each port has a name of its own.
    """

    def __init__(self, access: Access) -> None:
        self._keys = Keyring(access.tokens)
        self._passes = [_pass(token) for token in access.tokens]
        self.cookie = f"textanchor-studio-{access.port}"

    def token_in(self, query: bytes) -> str | None:
        """The token that a query or a form brings, whether right or not."""
        try:
            found = parse_qs(query.decode("ascii"), max_num_fields=8).get(TOKEN, [])
        except (ValueError, UnicodeDecodeError):
            return None
        return found[0] if len(found) == 1 else None

    def accepts(self, token: str) -> bool:
        """Whether it is one of ours."""
        return self._keys.owner(b"Bearer " + token.encode("utf-8", "replace")) is not None

    def admitted(self, scope: Scope) -> bool:
        """Whether a request carries the cookie, or the token itself as a bearer's."""
        given = _cookie(scope, self.cookie)
        known = [hmac.compare_digest(given.encode(), one.encode()) for one in self._passes]  # all of them
        headers = [value for key, value in scope["headers"] if key.lower() == b"authorization"]
        return any(known) or (len(headers) == 1 and self._keys.owner(headers[0]) is not None)

    def set_cookie(self, token: str) -> bytes:
        """The header's value: no script reads it, and no other site's page sends it."""
        return f"{self.cookie}={_pass(token)}; Path=/; HttpOnly; SameSite=Strict; Max-Age=2592000".encode()


def entrance(wrong: bool) -> bytes:
    """The page that asks for an invitation."""
    page = static("entrance.html").decode()
    return page.replace("<!-- told -->", "That token is not known here. Ask for a new link." if wrong else "").encode()


def _pass(token: str) -> str:
    return hmac.new(hashlib.sha256(token.encode()).digest(), _PURPOSE, hashlib.sha256).hexdigest()


def _cookie(scope: Scope, name: str) -> str:
    for key, value in scope["headers"]:
        if key.lower() == b"cookie":
            try:
                found = SimpleCookie(value.decode("latin-1")).get(name)
            except CookieError:
                continue
            if found is not None:
                return found.value
    return ""
