"""How parts are spelled: `ridge(alpha=1)` and `hub:x@layer=3` are taken apart into one record, and what is spelled reads back.

A part other than an encoder is a call: settings are numbers, `true`, `false`, `None`, lists of those, quoted strings, and bare
words or calls of other parts, both of which stay text. An encoder's name is a line for shells (`encoders.naming`): its settings
are text until the signature of the part says what they are.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from textanchor.errors import InputError

Value = str | int | float | bool | None | Sequence["Value"]
"""A setting. A string may be a name or a call of another part."""

CONSTANTS: Mapping[str, bool | None] = {"true": True, "True": True, "false": False, "False": False, "None": None}
QUOTED = r'"(?:[^"\\]|\\.)*"'
_WHOLE = re.compile(r"[-+]?[0-9]+")
_BROKEN = re.compile(r"[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?")
_WORD = re.compile(r"[^\s()\[\],=\"']+")
_STRING = re.compile(rf"{QUOTED}|'(?:[^'\\]|\\.)*'", re.DOTALL)
_SPACE = re.compile(r"\s*")


@dataclass(frozen=True, kw_only=True)
class Call:
    """A part's name taken apart; `inner` is what stands behind the `+` of an encoder such as `spectrogram@window=1+hub:x`."""

    name: str
    argument: str = ""
    settings: Mapping[str, Value] = field(default_factory=dict)
    inner: str = ""


def take_apart(spec: str) -> tuple[str, dict[str, Value]]:
    """Name and settings of a part written as a call, such as `gradient(loss=info-nce(temperature=0.05), epochs=40)`.

    Calls of other parts stay text, spelled as `spelled` does. Raises `InputError`.
    """
    try:
        reading = _Reading(spec)
        taken = reading.call()
        reading.end()
    except InputError:
        raise
    except (_Unreadable, RecursionError, ValueError):
        example = "expected a name or a call such as kernel-ridge(width=1, view=canonical)"
        raise InputError(f"'{spec}' is no part; {example}") from None
    return taken


def spelled(name: str, settings: Mapping[str, Value]) -> str:
    """The text that `take_apart` takes apart into the same name and settings."""
    inside = ", ".join(f"{key}={_written(value)}" for key, value in settings.items())
    return f"{name}({inside})" if settings else name


def value_of(text: str) -> Value:
    """What stands in a call behind the `=`. Raises `InputError`."""
    try:
        reading = _Reading(text)
        value = reading.value()
        reading.end()
    except InputError:
        raise
    except (_Unreadable, RecursionError, ValueError):
        raise InputError(f"{text} is no setting; expected a number, a name or a call") from None
    return value


def quoted(text: str) -> str:
    """The text between double quotes, with escapes."""
    return json.dumps(text, ensure_ascii=False)


def unquoted(token: str) -> str:
    """What `quoted` quoted, or what stands between single quotes. Raises `ValueError` for escapes that nobody knows."""
    if token.startswith("'"):
        return re.sub(r"\\(.)", r"\1", token[1:-1], flags=re.DOTALL)
    return str(json.loads(token, strict=False))


def _written(value: Value) -> str:
    if isinstance(value, str):
        return value if _reads_back(value) else quoted(value)
    if isinstance(value, float):
        return str(value).replace("inf", "1e999")
    if isinstance(value, Sequence):
        return f"[{', '.join(quoted(item) if isinstance(item, str) else _written(item) for item in value)}]"
    return str(value)


def _reads_back(text: str) -> bool:
    try:
        return value_of(text) == text
    except InputError:
        return False


class _Unreadable(Exception):
    """The text is not in the grammar."""


class _Reading:
    """A text and how far it is read."""

    def __init__(self, text: str) -> None:
        self._text, self._at = text, 0

    def call(self) -> tuple[str, dict[str, Value]]:
        """A name, and settings in parentheses if there are any."""
        name = self._take(_WORD)
        if name is None or _is_literal(name):
            raise _Unreadable
        return name, self._settings() if self._takes("(") else {}

    def value(self) -> Value:
        """A setting's value."""
        start = self._at
        if self._takes("["):
            return self._items()
        if (string := self._take(_STRING)) is not None:
            return unquoted(string)
        word = self._take(_WORD)
        if word is None:
            raise self._no_setting(start)
        if _is_literal(word):
            return _literal(word)
        return spelled(word, self._settings()) if self._takes("(") else word

    def end(self) -> None:
        """Nothing may follow."""
        if self._text[self._at :].strip():
            raise _Unreadable

    def _settings(self) -> dict[str, Value]:
        settings: dict[str, Value] = {}
        while not self._takes(")"):
            key = self._take(_WORD)
            if key is None or not self._takes("="):
                raise _Unreadable
            key = key.replace("-", "_")
            if key in settings:
                raise InputError(f"'{self._text}': {key} is given twice")
            settings[key] = self.value()
            self._separate(")")
        return settings

    def _items(self) -> list[Value]:
        """Of a list, whose strings are quoted."""
        start, items = self._at, list[Value]()
        while not self._takes("]"):
            word = self._next(_WORD)
            if word is not None and not _is_literal(word.group()):
                raise self._no_setting(start - 1)
            items.append(self.value())
            self._separate("]", start - 1)
        return items

    def _separate(self, closing: str, start: int | None = None) -> None:
        if not self._takes(",") and self._next(re.compile(re.escape(closing))) is None:
            raise _Unreadable if start is None else self._no_setting(start)

    def _no_setting(self, start: int) -> InputError:
        rest = self._text[start:].strip() or "nothing"
        return InputError(f"'{self._text}': {rest} is no setting; expected a number, a name or a call")

    def _next(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        blank = _SPACE.match(self._text, self._at)
        return pattern.match(self._text, blank.end() if blank else self._at)

    def _take(self, pattern: re.Pattern[str]) -> str | None:
        match = self._next(pattern)
        if match is None:
            return None
        self._at = match.end()
        return match.group()

    def _takes(self, sign: str) -> bool:
        return self._take(re.compile(re.escape(sign))) is not None


def _is_literal(word: str) -> bool:
    return word in CONSTANTS or bool(_BROKEN.fullmatch(word))


def _literal(word: str) -> int | float | bool | None:
    if word in CONSTANTS:
        return CONSTANTS[word]
    return int(word) if _WHOLE.fullmatch(word) else float(word)
