"""Records in one short line, as a notebook or a debugger shows them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import fields, is_dataclass
from pathlib import PurePath
from typing import Any

LONGEST, FEW = 60, 3  # characters of a text; entries of a list that are shown one by one


def short(record: Any) -> str:
    """`__repr__` of a record: its fields, of arrays their shapes, of long lists how many of what; what is empty is left out."""
    held = {one.name: getattr(record, one.name) for one in fields(record) if one.repr}
    told = [f"{name}={_brief(value)}" for name, value in held.items() if not _empty(value)]
    return f"{type(record).__name__}({', '.join(told)})"


def counted(names: Iterable[str]) -> str:
    """How many of each, such as `48 image, 48 audio`."""
    return ", ".join(f"{count} {name}" for name, count in Counter(names).items())


def _empty(value: Any) -> bool:
    return value is None or (isinstance(value, str | tuple | list | dict) and not value)


def _brief(value: Any) -> str:
    if hasattr(value, "shape") and hasattr(value, "dtype"):
        return f"{value.dtype} {list(value.shape)}"
    if isinstance(value, bool | int | float):
        return f"{value:.4g}" if isinstance(value, float) else str(value)
    if isinstance(value, str | PurePath):
        text = str(value)
        return repr(text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…")
    if is_dataclass(value):
        return f"{type(value).__name__}(…)"
    if isinstance(value, Mapping):
        if len(value) > FEW:
            return f"{{{len(value)} {_kinds(value.values())}}}"
        return "{" + ", ".join(f"{_brief(key)}: {_brief(held)}" for key, held in value.items()) + "}"
    if isinstance(value, Collection):
        plain = len(value) <= FEW and all(isinstance(one, str | int | float) for one in value)
        return "(" + (", ".join(map(_brief, value)) if plain else f"{len(value)} {_kinds(value)}") + ")"
    return type(value).__name__


def _kinds(values: Iterable[Any]) -> str:
    return " and ".join(dict.fromkeys(type(value).__name__ for value in values)) or "entries"
