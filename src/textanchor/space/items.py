"""Items from what a caller has at hand."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

from textanchor.data.readers import guess_modality
from textanchor.errors import InputError
from textanchor.records import Item, Waveform

TEXT = "text"


def as_items(given: Any, modality: str | None = None) -> list[Item]:
    """Items from what a caller has at hand; see `Space.embed`. Raises `InputError` for what cannot be understood."""
    single = isinstance(given, str | Path | Item) or _kind_in_memory(given) is not None or not isinstance(given, Iterable)
    items, taken = [], set()
    for row, value in enumerate([given] if single else given):
        item = _as_item(value, modality, row)
        if item.id in taken:  # an item may be given twice
            item = replace(item, id=f"{item.id} #{row}")
        taken.add(item.id)
        items.append(item)
    return items


def _as_item(value: Any, modality: str | None, row: int) -> Item:
    if isinstance(value, Item):
        return value
    if isinstance(value, Path):
        kind = modality or guess_modality(value)
        if kind is None:
            raise InputError(f"{value}: unknown kind of file '{value.suffix}'; say what it is with modality=")
        return Item(id=str(value), modality=kind, path=value)
    kind = modality or _kind_in_memory(value)
    if kind is None:
        raise InputError(f"item {row} is a {type(value).__name__}; say what it is with modality=")
    return Item(id=value if isinstance(value, str) else f"{kind} {row}", modality=kind, value=value)


def _kind_in_memory(value: Any) -> str | None:
    if isinstance(value, str):
        return TEXT
    if isinstance(value, Waveform) or (isinstance(value, tuple) and len(value) == 2 and isinstance(value[1], int)):
        return "audio"
    return "image" if hasattr(value, "convert") and hasattr(value, "mode") else None
