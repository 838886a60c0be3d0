"""Names of items in addresses: where the item stands, and a mark by which another one in its place is noticed."""

from __future__ import annotations

import hashlib
import hmac
import re

from textanchor.serve.refusal import Refusal

_KEY = re.compile(r"(?P<place>[0-9]{1,18})(?:-(?P<kind>(?:[0-9a-f]{2}){1,64}))?\.(?P<mark>[0-9a-f]{16})")


def key_of(name: str, place: int, kind: str = "") -> str:
    """The key of an item called `name` at a place, among those of a kind, which may be any word."""
    return f"{place}{f'-{kind.encode().hex()}' if kind else ''}.{_mark(name)}"


def place_in(key: str) -> tuple[int, str]:
    """The place and the kind that a key says. Raises `Refusal` (404) for what is no key."""
    told = _KEY.fullmatch(key)
    if told is None:
        raise gone()
    try:
        return int(told["place"]), bytes.fromhex(told["kind"] or "").decode()
    except UnicodeDecodeError:
        raise gone() from None


def check(key: str, name: str) -> None:
    """Raises `Refusal` (404) if the item that stands there now is another one."""
    if not hmac.compare_digest(key.rpartition(".")[2], _mark(name)):
        raise gone()


def gone() -> Refusal:
    """The answer for an item that is not there."""
    return Refusal(404, "there is no such item any more", code="not_found")


def _mark(name: str) -> str:
    return hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:16]
