"""What a cell says: texts, the place of a file, bytes within a table. Never what Python would print of it."""

from __future__ import annotations

import ast
import json
import math
import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from textanchor.data.tables.columns import FILES, squeezed
from textanchor.records.items import Field, Held

_NUMBER = re.compile(r"[+-]?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d{1,2})?", re.ASCII)
_LITERAL = 100_000  # letters; longer cells are not looked at for a list within


@dataclass(frozen=True, kw_only=True)
class Embedded:
    """A cell that holds a file: its bytes, which may be missing, and the name that it had."""

    held: Held | None
    place: str = ""


Row = Mapping[str, Any]  # one row of a table, by column; the values are as the table has them


class Unclear(ValueError):
    """A cell whose meaning is not plain; the message says what it holds."""


def texts(value: object) -> list[str]:
    """The texts of a cell, none for an empty one, each of a list. Raises `Unclear` for structures, bytes and lists of lists."""
    if isinstance(value, str):
        found = _listed(value.strip())
        return [one for told in ([value] if found is None else found) if (one := normal(told))]
    if isinstance(value, Embedded):
        return texts(_decoded(value))
    if isinstance(value, bytes):
        return texts(_utf8(value))
    if isinstance(value, Sequence):
        if any(isinstance(one, list | tuple | Mapping) for one in value):
            raise Unclear(f"holds lists of {'structures' + _fields(value) if _dicts(value) else 'lists'}")
        return [told for one in value for told in ([normal(one)] if isinstance(one, str) else texts(one)) if told]
    if isinstance(value, Mapping):
        raise Unclear(f"holds structures{_fields([value])}")
    told = _scalar(value)
    return [told] if told else []


def text(value: object) -> str:
    """The one text of a cell, "" for an empty one. Raises `Unclear` for several."""
    if isinstance(value, str):
        return normal(value)
    found = texts(value)
    if len(found) > 1:
        raise Unclear("holds several values")
    return found[0] if found else ""


def normal(value: str) -> str:
    """A text with single blanks, in the composed Unicode form: what looks equal is equal."""
    return " ".join(unicodedata.normalize("NFC", value).split())


def within(row: Row, column: str) -> Any:
    """A row's cell; a dot goes into a structure, or into each of a list. None where nothing is there."""
    if column in row:
        return row[column]
    outer, dot, inner = column.rpartition(".")
    if not dot:
        return None
    value = within(row, outer)
    if isinstance(value, list | tuple):
        return [one.get(inner) for one in value if isinstance(one, Mapping) and one.get(inner) is not None]
    return value.get(inner) if isinstance(value, Mapping) else None


def fields(row: Row, columns: Sequence[str], called: Callable[[str], str]) -> dict[str, Field]:
    """What some cells say beside the item, by the columns' names: texts, numbers and truth values; all else is passed over.

    Text that is a finite number is one, as every cell of a CSV table is text.
    """
    return {called(name): told for name in columns if (told := _field(within(row, name))) is not None}


def _field(value: object) -> Field | None:
    if isinstance(value, str):
        told = normal(value)
        return (_number(told) if _NUMBER.fullmatch(told) else told) if told else None
    if isinstance(value, bool | int):
        return value if -(2**63) <= value < 2**63 else str(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return str(value) if isinstance(value, date | Decimal) else None


def _number(told: str) -> Field:
    whole = told.lstrip("+-").isdecimal()
    number = int(told) if whole else float(told)
    return number if not whole or -(2**63) <= number < 2**63 else told


def _scalar(value: object) -> str:
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return normal(str(value))


def _decoded(value: Embedded) -> str:
    if value.held is None:
        raise Unclear("holds the place of a file, and no text")
    if value.place:
        raise Unclear("holds files")
    try:
        return _utf8(value.held.read())
    except OSError as why:
        raise Unclear(f"cannot be read: {why}") from None


def _utf8(value: bytes) -> str:
    try:
        told = value.decode("utf-8")
    except UnicodeDecodeError:
        raise Unclear("holds bytes that are no text") from None
    if not all(letter.isprintable() or letter.isspace() for letter in told):
        raise Unclear("holds bytes that are no text")
    return told


def _listed(value: str) -> list[str] | None:
    """The texts of a list that was written as text, by JSON or by Python; None for a plain text."""
    ends = value[:1] + value[-1:]
    if (ends not in ("[]", "{}", "()") and not (value.startswith(("b'", 'b"')) and value[-1] == value[1])) or len(
        value
    ) > _LITERAL:
        return None
    try:
        told = json.loads(value)
    except (ValueError, RecursionError):
        try:
            told = ast.literal_eval(value)
        except (ValueError, SyntaxError, RecursionError, MemoryError):
            return None
    if isinstance(told, list | tuple | set | frozenset):
        plain = [one for one in told if isinstance(one, str | int | float) and not isinstance(one, bool)]
        return [one if isinstance(one, str) else _scalar(one) for one in plain] if plain and len(plain) == len(told) else None
    if isinstance(told, Mapping) and told:
        raise Unclear(f"holds structures written as text{_fields([told])}")
    if isinstance(told, bytes):
        raise Unclear("holds bytes written as text")
    return None


def _dicts(values: Sequence[object]) -> bool:
    return any(isinstance(one, Mapping) for one in values)


def _fields(values: Sequence[object]) -> str:
    names = dict.fromkeys(str(name) for value in values if isinstance(value, Mapping) for name in value)
    return f" with the fields {', '.join(list(names)[:8])}" if names else ""


def named_in(value: Mapping[str, Any]) -> Any:
    """The file that a structure names, or the sound that it holds. Raises `Unclear` for any other."""
    told = {squeezed(str(key)): one for key, one in value.items()}
    if isinstance(told.get("array"), list) and isinstance(told.get("samplingrate"), int):
        return told["array"], told["samplingrate"]
    if isinstance(told.get("bytes"), bytes):
        raise Unclear("holds several files in a cell; one a row is read")
    place = next((told[name] for name in FILES if isinstance(told.get(name), str) and told[name]), None)
    if place is None:
        raise Unclear(f"holds structures with the fields {', '.join(map(str, list(value)[:8]))}, none of which names a file")
    return place


def is_list_of_names(value: Any) -> bool:
    """Whether a cell names several files."""
    return isinstance(value, list | tuple) and bool(value) and all(isinstance(one, str | Mapping) for one in value)
