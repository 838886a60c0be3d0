"""Conditions on an item's fields, which a mapping and SQLite answer alike.

Each has two truth values, never a third: what compares a missing field, or text with a number, does not hold, and its
negation does. True and false count 1 and 0, as they do in JSON read by SQLite. Text is compared by code point.
"""

from __future__ import annotations

import fnmatch
import math
import operator
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

Value = str | int | float | bool
Fields = Mapping[str, str | int | float | bool | None]
Clause = tuple[str, list[str | int | float]]  # SQL and its parameters; no text of a user stands in the SQL

COLUMNS = ("id", "modality", "path")  # columns of their own, of text; all other fields stand in the JSON of `fields`
SIGNS: Mapping[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
}  # fmt: skip
WORDS = ("and", "or", "not", "in", "is", "missing", "true", "false")  # as names of fields they stand between quotes
TEXT, NUMBER = "type = 'text'", "type in ('integer', 'real', 'true', 'false')"
SMALLEST, BEYOND = -(1 << 63), 1 << 63  # SQLite's whole numbers; others are floats there


class Condition(Protocol):
    """Holds for some items; its `str` reads back as the same filter."""

    @property
    def names(self) -> frozenset[str]:
        """The fields that it asks for."""

    def matches(self, fields: Fields) -> bool:
        """Whether it holds for an item with these fields."""

    def sql(self) -> Clause:
        """The same as a condition of SQLite on a row of `items`."""


@dataclass(frozen=True)
class Compared:
    """A field compared with a value by a sign of `SIGNS`."""

    name: str
    sign: str
    value: Value

    def __str__(self) -> str:
        return f"{_name(self.name)} {self.sign} {_spelled(self.value)}"

    @property
    def names(self) -> frozenset[str]:
        """The one."""
        return frozenset((self.name,))

    def matches(self, fields: Fields) -> bool:
        """Whether both are text or both are numbers, and the sign holds."""
        held, value = _held(fields, self.name), _plain(self.value)
        return held is not None and isinstance(held, str) == isinstance(value, str) and SIGNS[self.sign](held, value)

    def sql(self) -> Clause:
        """The type is asked for, because SQLite orders numbers before texts."""
        value = _plain(self.value)
        return _on(self.name, f"{self.sign} ?", [value], text=isinstance(value, str))


@dataclass(frozen=True)
class Among:
    """A field that equals one of several values."""

    name: str
    values: tuple[Value, ...]

    def __str__(self) -> str:
        return f"{_name(self.name)} in ({', '.join(map(_spelled, self.values))})"

    @property
    def names(self) -> frozenset[str]:
        """The one."""
        return frozenset((self.name,))

    @cached_property
    def _parts(self) -> tuple[list[str | int | float], list[str | int | float]]:
        plain = [_plain(value) for value in self.values]
        return [one for one in plain if not isinstance(one, str)], [one for one in plain if isinstance(one, str)]

    def matches(self, fields: Fields) -> bool:
        """Text among the texts, or a number among the numbers."""
        held = _held(fields, self.name)
        return held is not None and held in self._parts[isinstance(held, str)]

    def sql(self) -> Clause:
        """A condition a type."""
        clauses = [
            _on(self.name, f"in ({', '.join('?' * len(own))})", own, text=bool(place))
            for place, own in enumerate(self._parts)
            if own
        ]
        return _joined(clauses, "or")


@dataclass(frozen=True)
class Alike:
    """A text field of a pattern: `*` stands for any characters, `?` for one; large and small letters differ."""

    name: str
    pattern: str

    def __str__(self) -> str:
        return f"{_name(self.name)} ~ {_spelled(self.pattern)}"

    @property
    def names(self) -> frozenset[str]:
        """The one."""
        return frozenset((self.name,))

    @cached_property
    def _compiled(self) -> re.Pattern[str]:
        return re.compile(fnmatch.translate(_bare(self.pattern)))

    def matches(self, fields: Fields) -> bool:
        """Whether the whole text is of the pattern."""
        held = _held(fields, self.name)
        return isinstance(held, str) and self._compiled.match(held) is not None

    def sql(self) -> Clause:
        """SQLite's GLOB."""
        return _on(self.name, "glob ?", [_bare(self.pattern)], text=True)


@dataclass(frozen=True)
class Missing:
    """A field that an item does not have, or that holds nothing."""

    name: str

    def __str__(self) -> str:
        return f"{_name(self.name)} is missing"

    @property
    def names(self) -> frozenset[str]:
        """The one."""
        return frozenset((self.name,))

    def matches(self, fields: Fields) -> bool:
        """Whether there is no value."""
        return _held(fields, self.name) is None

    def sql(self) -> Clause:
        """No key, or null."""
        if self.name in COLUMNS:
            return f"items.{self.name} is null", []
        return "not exists (select 1 from json_each(items.fields) where key = ? and type <> 'null')", [self.name]


@dataclass(frozen=True)
class Opposite:
    """Holds where another does not."""

    inner: Condition

    def __str__(self) -> str:
        return f"not ({self.inner})"

    @property
    def names(self) -> frozenset[str]:
        """The inner one's."""
        return self.inner.names

    def matches(self, fields: Fields) -> bool:
        """The contrary."""
        return not self.inner.matches(fields)

    def sql(self) -> Clause:
        """The contrary."""
        text, values = self.inner.sql()
        return f"not ({text})", values


@dataclass(frozen=True)
class Several:
    """Holds where all parts do (`and`), or where any does (`or`)."""

    word: str
    parts: tuple[Condition, ...]

    def __str__(self) -> str:
        return f" {self.word} ".join(f"({part})" for part in self.parts)

    @property
    def names(self) -> frozenset[str]:
        """All of theirs."""
        return frozenset[str]().union(*(part.names for part in self.parts))

    def matches(self, fields: Fields) -> bool:
        """All or any."""
        return (all if self.word == "and" else any)(part.matches(fields) for part in self.parts)

    def sql(self) -> Clause:
        """Joined by the word."""
        return _joined([part.sql() for part in self.parts], self.word)


def unmet(condition: Condition, fields: Fields) -> tuple[str, ...]:
    """What of a condition does not hold for these fields: the parts of an `and` one by one, else the condition as a whole."""
    if condition.matches(fields):
        return ()
    if isinstance(condition, Several) and condition.word == "and":
        return tuple(told for part in condition.parts for told in unmet(part, fields))
    return (str(condition),)


def _name(name: str) -> str:
    return '"' + name.replace('"', '""') + '"' if not re.fullmatch(r"[^\W\d][\w.-]*", name) or name.lower() in WORDS else name


def _spelled(value: Value) -> str:
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    return str(value).lower() if isinstance(value, bool) else repr(value).replace("inf", "1e999")


def _held(fields: Fields, name: str) -> str | int | float | None:
    value = fields.get(name)
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return None
    return _plain(value)


def _bare(pattern: str) -> str:
    """Without sets of characters, which Python and SQLite read differently: a bracket stands for itself."""
    return pattern.replace("[", "[[]")


def _plain(value: Value) -> str | int | float:
    """As SQLite holds it."""
    if isinstance(value, str | float):
        return value
    return int(value) if SMALLEST <= value < BEYOND else float(value)


def _on(name: str, asked: str, values: Sequence[str | int | float], *, text: bool) -> Clause:
    """What is asked of a field, if it has the type."""
    if name in COLUMNS:
        return (f"ifnull(items.{name} {asked}, 0)", list(values)) if text else ("0", [])
    kind = TEXT if text else NUMBER
    return f"exists (select 1 from json_each(items.fields) where key = ? and {kind} and value {asked})", [name, *values]


def _joined(clauses: Sequence[Clause], word: str) -> Clause:
    text = f" {word} ".join(f"({own})" for own, _ in clauses)
    return text, [value for _, own in clauses for value in own]
