"""Filters as they are typed: `year >= 2020 and camera = 'X100' and not (split = 'train')`, parsed, never evaluated.

    filter     either: all ("or" all)*          all: one ("and" one)*
    one        "not" one | "(" filter ")" | name sign value | name "~" 'a glob' | name ["not"] "in" (value, ...)
               | name "is" ["not"] "missing"
    name       a word, or any text between quotes; `id`, `modality` and `path` are the item's own
    sign       = != < <= > >=
    value      a number, text between quotes, true, false

Words of the grammar may be written large or small. Within quotes the quote itself is doubled: 'it''s'. `a != b` is `not a = b`,
and so holds for items without the field.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from textanchor.collections.asking.conditions import (
    SIGNS,
    Alike,
    Among,
    Clause,
    Compared,
    Condition,
    Fields,
    Missing,
    Opposite,
    Several,
    Value,
)  # fmt: skip
from textanchor.errors import InputError

LONGEST, DEEPEST, MOST = 10_000, 30, 300  # characters; parentheses and nots within each other; values in all
SHOWN, DIGITS = 24, 20
_UNHELD = re.compile("[\0\ud800-\udfff]")  # what SQLite compares otherwise or cannot hold
_TOKEN = re.compile(
    r"""\s*(?:(?P<text>'(?:[^']|'')*'|"(?:[^"]|"")*")
    |(?P<number>[-+]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]+)?)(?![\w.])
    |(?P<word>[^\W\d][\w.-]*)
    |(?P<sign><=|>=|!=|[=<>~(),])
    |(?P<end>$))""",
    re.VERBOSE,
)
_VALUE = "a number, text between quotes, true or false"


@dataclass(frozen=True, kw_only=True)
class Filter:
    """Which items are searched: a condition, and the text that it was read from."""

    text: str
    condition: Condition

    @property
    def names(self) -> frozenset[str]:
        """Fields that it asks for, so that one which no item has can be said."""
        return self.condition.names

    def matches(self, fields: Fields) -> bool:
        """Whether an item with these fields passes; `id`, `modality` and `path` stand among them."""
        return self.condition.matches(fields)

    def sql(self) -> Clause:
        """The same for SQLite: a condition on `items` (`id`, `modality`, `path`, `fields`: a JSON object), and parameters."""
        return self.condition.sql()


def parse_filter(text: str) -> Filter:
    """Raises `InputError` that names the place of the mistake."""
    if len(text) > LONGEST:
        raise InputError(f"a filter of {len(text)} characters is too long; expected at most {LONGEST}")
    if unheld := _UNHELD.search(text):
        raise InputError(f"filter, character {unheld.start() + 1}: {unheld[0]!a} is no text; expected characters of Unicode")
    reading = _Reading(text)
    condition = reading.either()
    if reading.kind != "end":
        raise reading.mistake("and, or, or the end")
    return Filter(text=text, condition=condition)


class _Reading:
    """A text, the token that stands next, and what is counted."""

    def __init__(self, text: str) -> None:
        self._text, self._end, self._depth, self._values = text, 0, 0, 0
        self._next()

    def either(self) -> Condition:
        """Parts of which one must hold."""
        return self._several("or", lambda: self._several("and", self._one))

    def mistake(self, expected: str) -> InputError:
        """What stands here, where that is, and what was expected."""
        rest = self._text[self._start :]
        shown = f"'{rest[:SHOWN]}{'…' if len(rest) > SHOWN else ''}'" if rest else "the end"
        return InputError(f"filter, character {self._start + 1}: {shown} where {expected} was expected, in: {self._text}")

    def _next(self) -> None:
        match = _TOKEN.match(self._text, self._end)
        if match is None:
            self.kind, self._token = "", ""
            self._start = self._end + len(self._text[self._end :]) - len(self._text[self._end :].lstrip())
            return
        self.kind = str(match.lastgroup)
        self._token, self._start, self._end = match[self.kind], match.start(self.kind), match.end()

    def _several(self, word: str, part: Callable[[], Condition]) -> Condition:
        parts = [part()]
        while self._takes(word):
            parts.append(part())
        return parts[0] if len(parts) == 1 else Several(word, tuple(parts))

    def _one(self) -> Condition:
        if not (self._is("not") or self._is("(")):
            return self._asked()
        if self._depth == DEEPEST:
            raise InputError(f"filter, character {self._start + 1}: more than {DEEPEST} parentheses and nots within each other")
        self._depth += 1
        if self._takes("not"):
            condition: Condition = Opposite(self._one())
        else:
            self._next()
            condition = self.either()
            self._expect(")")
        self._depth -= 1
        return condition

    def _asked(self) -> Condition:
        """A field and what is asked of it."""
        if self.kind not in ("word", "text"):
            raise self.mistake("the name of a field")
        name = _unquoted(self._token) if self.kind == "text" else self._token
        self._next()
        if self._takes("is"):
            return _turned(Missing(name), self._takes_not("missing"))
        if self._is("not") or self._is("in"):
            negated = self._takes_not("in")
            return _turned(Among(name, self._list()), negated)
        if self._takes("~"):
            return Alike(name, self._pattern())
        if self._takes("!="):
            return Opposite(Compared(name, "=", self._value()))
        if self._token not in SIGNS or self.kind != "sign":
            raise self.mistake("one of = != < <= > >= ~, in, not in, is missing")
        sign = self._token
        self._next()
        return Compared(name, sign, self._value())

    def _takes_not(self, word: str) -> bool:
        negated = self._takes("not")
        self._expect(word)
        return negated

    def _list(self) -> tuple[Value, ...]:
        self._expect("(")
        values = [self._value()]
        while self._takes(","):
            values.append(self._value())
        self._expect(")")
        return tuple(values)

    def _pattern(self) -> str:
        if self.kind != "text":
            raise self.mistake("a pattern between quotes, such as 'DSC*.jpg',")
        return str(self._value())

    def _value(self) -> Value:
        self._values += 1
        if self._values > MOST:
            raise InputError(
                f"filter, character {self._start + 1}: more than {MOST} values; put them into a field of the table"
            )
        kind, token = self.kind, self._token
        if kind not in ("text", "number") and token.lower() not in ("true", "false"):
            raise self.mistake(_VALUE)
        self._next()
        if kind == "text":
            return _unquoted(token)
        if kind == "number":
            return int(token) if len(token) <= DIGITS and not re.search(r"[.eE]", token) else float(token)
        return token.lower() == "true"

    def _is(self, token: str) -> bool:
        return self.kind in ("word", "sign") and self._token.lower() == token

    def _takes(self, token: str) -> bool:
        found = self._is(token)
        if found:
            self._next()
        return found

    def _expect(self, token: str) -> None:
        if not self._takes(token):
            raise self.mistake(f"'{token}'")


def _turned(condition: Condition, negated: bool) -> Condition:
    return Opposite(condition) if negated else condition


def _unquoted(token: str) -> str:
    return token[1:-1].replace(token[0] * 2, token[0])
