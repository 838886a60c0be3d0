"""Items from places and what of them a space knows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from textanchor.data import tables
from textanchor.data.pairs import read_collection
from textanchor.errors import InputError, NothingUsableError
from textanchor.records import Item, Skipped
from textanchor.runtime import Reading
from textanchor.space import TEXT, Space, as_items


def items_at(places: Sequence[Path], reading: Reading | None = None) -> tuple[list[Item], list[Skipped]]:
    """The items of files, folders and tables, and what is none in them; of several places each named with its place.

    `reading` says what of folders and tables is read; its modality is taken for files whose ending says none, and makes an item
    of a table where it reads such files. Raises `InputError` for a place that is not there.
    """
    told = reading or Reading()
    items: list[Item] = []
    skipped: list[Skipped] = []
    for place in places:
        if place.is_dir() or (tables.is_table(place) and not told.modality):
            found, left = read_collection(place, reading=told)
            several = len(places) > 1
            items += (replace(item, id=str(place / item.id)) if several else item for item in found)
            skipped += left
        elif place.is_file():
            items += as_items([place], next(iter(told.modality), None))
        else:
            raise InputError(f"{place} does not exist; expected a file, a folder or a table")
    return items, skipped


def known_items(space: Space, items: Iterable[Item]) -> tuple[list[Item], list[Skipped]]:
    """Those of modalities that the space has, and the others. Raises `NothingUsableError` if there are only others."""
    kinds = {TEXT, "document", *space.kinds}
    known, foreign = [], []
    for item in items:
        if item.modality in kinds:
            known.append(item)
        else:
            foreign.append(Skipped(item=item.id, reason=f"the space has no modality '{item.modality}'"))
    if foreign and not known:
        raise NothingUsableError(
            f"no item can be embedded; the first of {len(foreign)}: {foreign[0].item}: {foreign[0].reason}"
        )
    return known, foreign


def own_modality(space: Space, kind: str) -> str | None:
    """What the space takes a kind of item for: a document is a plain text to a space that never fitted documents."""
    own = TEXT if kind == "document" and kind not in space.modalities else kind
    return own if own in (TEXT, *space.kinds) else None
