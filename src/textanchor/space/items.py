"""Items from what a caller has at hand."""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from textanchor import registry
from textanchor.data.objects import values
from textanchor.data.objects.object_tables import has_columns
from textanchor.errors import InputError
from textanchor.records import Item
from textanchor.records.items import Held

TEXT = "text"


def as_items(given: Any, modality: str | None = None, *, unsaid: str | None = None) -> list[Item]:
    """Items from what a caller has at hand; see `Space.embed`. Raises `InputError` for what cannot be understood.

    `unsaid` is the modality of what does not say its own: bytes, arrays, names of files. Warns once of texts that are names
    of files, where no modality was given.
    """
    if has_columns(given):
        raise InputError(
            "a table is a collection of items: search it, give it to fit or evaluate, or give one of its columns as a list"
        )
    given = _as_vectors(given, modality or unsaid)
    one = single(given, modality or unsaid)
    items: list[Item] = []
    taken: set[str] = set()
    files: list[str] = []
    for row, told in enumerate([given] if one else given):
        value = values.plain(told)
        names_a_file = isinstance(value, str) and modality != TEXT and values.names_a_file(value)
        mute = names_a_file or isinstance(value, values.Content | np.ndarray)
        item = _as_item(value, modality or (unsaid if mute else None), row)
        if names_a_file and item.modality == TEXT and item.path is None:
            files.append(value)
        if item.id in taken:  # an item may be given twice
            item = replace(item, id=f"{item.id} #{row}")
        taken.add(item.id)
        items.append(item)
    if files:
        _remark(files)
    return items


def _as_vectors(given: Any, modality: str | None) -> Any:
    """Lists of numbers as arrays, where items are vectors made elsewhere; anything else as it is."""
    if modality is None or modality in registry.names("reader") or not isinstance(given, list | tuple):
        return given
    if not given or not all(isinstance(one, int | float | list | tuple) for one in given):
        return given
    try:
        return np.asarray(given, dtype=np.float32)
    except (ValueError, TypeError):  # rows of several lengths; what is wrong with each is said later
        return given


def single(given: Any, modality: str | None = None) -> bool:
    """Whether it is one item and not a sequence of them."""
    if isinstance(given, io.IOBase):
        return True
    value = values.plain(given)
    if isinstance(value, str | Held | Mapping | Item | Path) or not isinstance(value, Iterable):
        return True
    if isinstance(value, np.ndarray):
        return _one_array(value, modality, channels_first=value is not given)
    return values.is_sound(value) or values.kind_of(value) is not None


def batched(items: Iterable[Item], size: int) -> Iterator[list[Item]]:
    """Lists of at most `size` items, in order."""
    rest = iter(items)
    while batch := list(islice(rest, size)):
        yield batch


def _as_item(value: Any, modality: str | None, row: int) -> Item:
    if isinstance(value, Item):
        return value
    if isinstance(value, str) and modality is not None:
        value = values.as_file(value, modality)
    kind = modality or values.kind_of(value)
    if kind is None and isinstance(value, Path) and value.is_dir():
        raise InputError(f"{value} is a folder; give its files one by one, or search it or embed it as a collection")
    if kind is None and isinstance(value, Path):
        raise InputError(f"{value}: unknown kind of file '{value.suffix}'; say what it is with modality=")
    if kind is None:
        raise InputError(f"item {row} is {values.described(value)}; say what it is with modality=")
    return values.item(str(value) if isinstance(value, str | Path) else f"{kind} {row}", kind, value)


def _one_array(value: np.ndarray, modality: str | None, *, channels_first: bool) -> bool:
    """Pixels [h, w], [h, w, channels] or [channels, h, w], or a series [t] or [t, channels]; with one more it is a batch.

    Raises `InputError` for three small pictures that might be the channels of one, unless they come as a tensor.
    """
    if modality not in (None, "image"):
        vector = (1,) if value.dtype.kind in "biuf" else ()  # of a modality whose items are vectors made elsewhere
        return value.ndim in {"series": (1, 2), "audio": (1,)}.get(modality, vector)
    if value.ndim != 3 or value.dtype.kind not in "buif":
        return value.ndim == 2 and (modality == "image" or values.kind_of(value) == "image")
    if value.shape[-1] in values.CHANNELS:
        return True
    if value.shape[0] in values.CHANNELS[1:] and not channels_first:  # a batch of one is the same either way
        raise InputError(
            f"an array {list(value.shape)} may be one picture with its channels first, or {value.shape[0]} grey ones; "
            "give a list of arrays, or channels last"
        )
    return value.shape[0] in values.CHANNELS


def _remark(files: Sequence[str]) -> None:
    more = f" and {len(files) - 1} more" if len(files) > 1 else ""
    warnings.warn(
        f"'{files[0]}'{more} is taken as a text, and a file has that name; for the file give pathlib.Path(...), "
        "or say its modality=; modality='text' keeps this quiet",
        UserWarning,
        stacklevel=4,
    )
