"""Items from what a caller has at hand."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from textanchor.data.readers import guess_modality
from textanchor.errors import InputError
from textanchor.records import Item, Series, Waveform

TEXT = "text"


def as_items(given: Any, modality: str | None = None) -> list[Item]:
    """Items from what a caller has at hand; see `Space.embed`. Raises `InputError` for what cannot be understood."""
    single = isinstance(given, str | Path | Item) or _kind_in_memory(given) is not None or not isinstance(given, Iterable)
    single = single or _one_array(given, modality)
    items, taken = [], set()
    for row, value in enumerate([given] if single else given):
        item = _as_item(value, modality, row)
        if item.id in taken:  # an item may be given twice
            item = replace(item, id=f"{item.id} #{row}")
        taken.add(item.id)
        items.append(item)
    return items


def batched(items: Iterable[Item], size: int) -> Iterator[list[Item]]:
    """Lists of at most `size` items, in order."""
    rest = iter(items)
    while batch := list(islice(rest, size)):
        yield batch


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


def _one_array(value: Any, modality: str | None) -> bool:
    """Pixels [h, w] or [h, w, 3], or a series [t] or [t, channels]; with one dimension more it is a batch."""
    return isinstance(value, np.ndarray) and value.ndim in {"image": (2, 3), "series": (1, 2)}.get(modality or "", ())


def _kind_in_memory(value: Any) -> str | None:
    if isinstance(value, str):
        return TEXT
    if isinstance(value, Series):
        return "series"
    if isinstance(value, Waveform) or (isinstance(value, tuple) and len(value) == 2 and isinstance(value[1], int | float)):
        return "audio"
    return "image" if hasattr(value, "convert") and hasattr(value, "mode") else None
