"""What the page may ask of a project, as records."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from pydantic import ConfigDict, Field

CLOSED = ConfigDict(extra="forbid")
MOST = 10_000  # decisions of one step
Who = Annotated[str, Field(min_length=1, max_length=60, pattern=r"\S")]
Key = Annotated[str, Field(min_length=1, max_length=200)]
Name = Annotated[str, Field(min_length=1, max_length=2000)]


@dataclass(frozen=True, kw_only=True)
class Next:
    """Give me items to decide on."""

    __pydantic_config__: ClassVar[ConfigDict] = CLOSED

    who: Who
    count: Annotated[int, Field(ge=1, le=50)] = 4
    stream: Literal["mixed", "drawn", "chosen", "audit"] = "mixed"
    skip: Annotated[tuple[Key, ...], Field(max_length=1000)] = ()


@dataclass(frozen=True, kw_only=True)
class Decided:
    """What a person decides of one item."""

    __pydantic_config__: ClassVar[ConfigDict] = CLOSED

    key: Key
    kind: Literal["label", "accept", "other", "none", "unsure"]
    classes: Annotated[tuple[Name, ...], Field(max_length=100)] = ()


@dataclass(frozen=True, kw_only=True)
class Decide:
    """Write these down as one step."""

    __pydantic_config__: ClassVar[ConfigDict] = CLOSED

    who: Who
    choices: Annotated[tuple[Decided, ...], Field(min_length=1, max_length=MOST)]
    how: Literal["picked", "bulk"] = "picked"


@dataclass(frozen=True, kw_only=True)
class Undo:
    """Take my last step back."""

    __pydantic_config__: ClassVar[ConfigDict] = CLOSED

    who: Who


@dataclass(frozen=True, kw_only=True)
class AddClass:
    """There is one more class."""

    __pydantic_config__: ClassVar[ConfigDict] = CLOSED

    who: Who
    key: Name
    text: Annotated[str, Field(max_length=2000)] = ""


@dataclass(frozen=True, kw_only=True)
class Propose:
    """Let the machine propose, and promise how often it is wrong."""

    __pydantic_config__: ClassVar[ConfigDict] = CLOSED

    form: Annotated[str, Field(min_length=1, max_length=100)] = "average"
    level: Annotated[float, Field(gt=0, lt=1)] = 0.05
    delta: Annotated[float, Field(gt=0, lt=1)] = 0.1


@dataclass(frozen=True, kw_only=True)
class Take:
    """Take over what the promise lets through."""

    __pydantic_config__: ClassVar[ConfigDict] = CLOSED

    who: Who
