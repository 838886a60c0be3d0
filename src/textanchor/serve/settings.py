"""What a server is told: who may ask, how much, and how requests are put together."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from textanchor.errors import InputError

_HOST = re.compile(r"(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+)(:[0-9]{1,5})?")
SHORTEST = 16  # characters of a token
MIB = 1 << 20


@dataclass(frozen=True, kw_only=True)
class Access:
    """Where the server listens, the tokens of its clients, and further names that requests may call it by.

    `names` are values of the header Host, such as `search.example.org` or `search.example.org:8443`.
    """

    tokens: tuple[str, ...] = field(repr=False)
    host: str = "127.0.0.1"
    port: int = 8000
    names: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Raises `InputError` for no token, a short one, or one that no header can carry, and for names that are no Host."""
        if not self.tokens:
            raise InputError("a server needs at least one token; without any, web pages could ask it through a browser")
        for token in self.tokens:
            if len(token) < SHORTEST or not token.isascii() or not token.isprintable() or " " in token:
                raise InputError(f"a token of {len(token)} characters: expected at least {SHORTEST} of ASCII without blanks")
        for name in self.names:
            if not _HOST.fullmatch(name):
                raise InputError(f"'{name}' is no Host; expected a name such as search.example.org or search.example.org:8443")


@dataclass(frozen=True, kw_only=True)
class Bounds:
    """The most that a request may bring, take and last.

    Bytes: `body` of a request, `item` of one file, `memory` that all requests together may need, a lone one aside. `items` and
    `hits` of a request, `characters` of a text, `side` of the smallest image in pixels. `requests` of one token at a time,
    `waiting` items in a queue. Seconds: `head` until a request's head is there, `body_grace` until its body must keep a pace of
    `pace` bytes a second, `answer` until it is answered, `drain` until a server that is stopped stops.
    """

    body: int = 32 * MIB
    item: int = 24 * MIB
    memory: int = 2048 * MIB
    items: int = 2048
    hits: int = 1000
    characters: int = 32_768
    side: int = 4
    requests: int = 256
    waiting: int = 8192
    head: float = 10.0
    body_grace: float = 10.0
    pace: int = 64 << 10
    answer: float = 60.0
    drain: float = 20.0


@dataclass(frozen=True, kw_only=True)
class Batching:
    """How many items are encoded together at most, how much they may hold decoded, and how long the first waits for others."""

    items: int = 64
    seconds: float = 0.004
    memory: int = 256 * MIB


@dataclass(frozen=True, kw_only=True)
class Settings:
    """All of it; with `urls` the server fetches what inputs point at."""

    access: Access
    bounds: Bounds = field(default_factory=Bounds)
    batching: Batching = field(default_factory=Batching)
    urls: bool = False
