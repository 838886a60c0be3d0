"""What somebody gave to a collection, as a place with a name and a survey of its items."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

from textanchor.collections.surveying import Survey, survey
from textanchor.data import tables
from textanchor.data.folders.archives import is_archive
from textanchor.data.objects.object_tables import is_table
from textanchor.data.pairs import read_collection
from textanchor.errors import InputError, NothingUsableError
from textanchor.escaping import writable
from textanchor.files import located
from textanchor.records import Item, Skipped
from textanchor.runtime import Reading, Runtime
from textanchor.space import as_items

MEMORY = "memory"  # the place of what Python gave


def surveyed(given: Any, reading: Reading, runtime: Runtime) -> tuple[str, Survey]:
    """The place's name, and what it holds.

    A str or `Path` is a folder, table, archive or file. Raises `InputError` if there is none, `NothingUsableError` if it is
    empty, with `strict` `ItemError` for the first thing that is no item.
    """
    if not isinstance(given, str | Path):
        items, skipped = read_collection(given, reading=reading) if is_table(given) else (tuple(as_items(given)), ())
        if not items:
            raise NothingUsableError("nothing was given")
        return MEMORY, _of(MEMORY, items, skipped)
    place = located(given).absolute()
    name = writable(str(place))
    if not place.exists():
        raise InputError(f"{place} does not exist; expected a file, a folder, a table or an archive")
    if place.is_dir() or is_archive(place) or (tables.is_table(place) and not reading.modality):
        return name, survey(place, reading=reading)
    return name, _of(str(place), tuple(as_items([place], next(iter(reading.modality), None))), ())


def _of(source: str, items: tuple[Item, ...], skipped: tuple[Skipped, ...]) -> Survey:
    counts = Counter(item.modality for item in items)
    return Survey(source=source, modality=None, reading=None, counts=counts, skipped=skipped, kept=items)
