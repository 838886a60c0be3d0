"""Tokens: where they come from, and whose a request carries."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import os
import secrets
from collections.abc import Sequence
from pathlib import Path

from textanchor.errors import InputError

VARIABLE = "TEXTANCHOR_TOKEN"


def new_token() -> str:
    """256 random bits."""
    return secrets.token_urlsafe(32)


def given_tokens(file: Path | None) -> tuple[str, ...]:
    """The lines of a file, else `$TEXTANCHOR_TOKEN`, else none. Raises `InputError` for a file that cannot be read or is empty.

    Empty lines and those that begin with `#` are passed over.
    """
    if file is None:
        told = os.environ.get(VARIABLE, "")
        return (told,) if told else ()
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as why:
        raise InputError(f"{file}: the tokens cannot be read: {getattr(why, 'strerror', None) or 'no UTF-8'}") from None
    found = tuple(line.strip() for line in lines if line.strip() and not line.lstrip().startswith("#"))
    if not found:
        raise InputError(f"{file} holds no token; write one a line")
    return found


class Keyring:
    """Tells whose token was given, in a time that says nothing of the tokens."""

    def __init__(self, tokens: Sequence[str]) -> None:
        self._digests = [_digest(token.encode()) for token in tokens]

    def owner(self, header: bytes, *, basic: bool = False) -> int | None:
        """The place of the token that an Authorization header carries; `basic`: a browser may send it as a password."""
        given = _bearer(header) or (_password(header) if basic else b"")
        digest = _digest(given)
        found = None
        for place, known in enumerate(self._digests):  # all of them, whichever is right
            if hmac.compare_digest(digest, known):
                found = place
        return found if given else None


def _digest(token: bytes) -> bytes:
    """All of one length, so that comparing them takes one time."""
    return hashlib.sha256(token).digest()


def _bearer(header: bytes) -> bytes:
    scheme, _, rest = header.partition(b" ")
    return rest.strip() if scheme.lower() == b"bearer" else b""


def _password(header: bytes) -> bytes:
    scheme, _, rest = header.partition(b" ")
    if scheme.lower() != b"basic":
        return b""
    try:
        return base64.b64decode(rest.strip(), validate=True).partition(b":")[2]
    except binascii.Error:
        return b""
