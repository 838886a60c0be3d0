"""Pairs and collections from a table, a Hugging Face folder with metadata, or one folder per class."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Unpack

from textanchor.data import tables
from textanchor.data.objects import object_rows
from textanchor.data.rows import UNASKED, UNREAD
from textanchor.data.sorting import Sorted
from textanchor.data.sources import own_table, source_of
from textanchor.data.wording import plain_name
from textanchor.errors import DamagedError, InputError, NothingUsableError
from textanchor.files import digest, located, read_json, write_csv
from textanchor.records import Item, Pairs, Single, Skipped
from textanchor.records.items import first_of
from textanchor.runtime import Reading, SimpleReading, settled_reading

ABOUT, MEMORY = "about.json", "memory"


def read_pairs(
    source: object, *, split_name: str | None = None, reading: Reading | None = None, **simple: Unpack[SimpleReading]
) -> Pairs:
    """Read (item, text) pairs, and what has no partner: rows with only an item or only a text.

    `source` is a table or folder (str or `Path`), a data frame, a data set of Hugging Face (a dict of them by split), a list of
    (item, text) or of dicts, a dict of columns, or (X, y): items, and a text, class name or number for each. Columns
    are known by the names that tables have; cells are files, bytes of files, PIL images, arrays, tensors or sounds.
    `reading`, or its fields as keywords, says which columns mean what, where files are, and what is asked for; the result's
    `taken` says what was taken for what. `split_name` names a predefined split that breaks groups on purpose ("official,
    speakers shared"); without it such a split is refused later. Raises `InputError` if there is no such table or more of its
    rows than allowed cannot be used, `NothingUsableError` if no row is a usable pair.
    """
    if isinstance(source, Pairs):
        return source if split_name is None else replace(source, split_name=split_name)
    told = settled_reading(reading, simple)
    found, rows = _read(source, told)
    if not found.rows:
        raise NothingUsableError(_no_pair(_called(_place(source)), rows, found.singles, found.taken))
    rows.check_lost(_name(found), told.allow_lost)
    return found if split_name is None else replace(found, split_name=split_name)


def read_loose(source: object, *, reading: Reading | None = None) -> Pairs:
    """Items and texts of which no row says that they belong together: `singles` and no `rows`.

    `source` is what `read_pairs` takes. Raises `InputError` where there are pairs, or more rows than allowed cannot be used,
    `NothingUsableError` where there are no items or no texts.
    """
    told = reading or Reading()
    given, rows = (source, Sorted()) if isinstance(source, Pairs) else _read(source, told)
    rows.check_lost(_name(given), told.allow_lost)
    if given.rows:
        one = given.rows[0]
        raise InputError(
            f"{_name(given)}: {len(given.rows)} rows have an item and a text, such as {one.item.id} and '{one.text[:60]}'; "
            "these are pairs, which say far more than structure: textanchor fit, with --aligner structure if need be"
        )
    if not given.lone_items or not given.lone_texts:
        count = f"{len(given.lone_items)} items and {len(given.lone_texts)} texts"
        raise NothingUsableError(
            f"{_name(given)} holds {count}; expected both, each in rows of its own{first_of(given.skipped)}"
        )
    return given


def _read(source: object, told: Reading) -> tuple[Pairs, Sorted]:
    """All rows, sorted."""
    path = _place(source)
    rows = object_rows(source, told) if path is None else source_of(path, told)
    found = Sorted()
    for row in rows:
        found.take(row)
    pairs, singles = found.settled()
    taken = [*rows.taken]
    if found.sides_from_folders:
        taken.append(f"split from the folders of the files: {found.sides_from_folders}")
    if found.unasked:
        taken.append(f"{found.unasked} rows or files are not asked for (--include, --exclude, --modality)")
    read = Pairs(
        rows=pairs,
        singles=singles,
        skipped=tuple(found.skipped),
        split_name=_told_name(path) if path else None,
        source=path.name if path else MEMORY,
        place=path.resolve() if path else None,
        taken=tuple(taken),
        renamed=found.renamed,
    )
    return read, found


def write_pairs(pairs: Pairs, file: str | Path) -> None:
    """Pairs and singles as a CSV table that `read_pairs` reads; files by their places relative to it.

    Raises `InputError` for an ending other than .csv, or items in memory that are no texts.
    """
    place = located(file)
    if place.suffix.lower() != ".csv":
        raise InputError(f"{place}: expected a name that ends in .csv")
    folder = place.resolve().parent
    table = [("path", "item_text", "text", "modality", "item", "group", "split")]
    for pair in pairs.rows:
        table.append((*_located(pair.item, folder), pair.text, *_named(pair.item), pair.group or "", pair.split or ""))
    for single in pairs.singles:
        if single.item is not None:
            own = (*_located(single.item, folder), "", *_named(single.item))
        else:
            own = ("", "", single.text or "", single.modality or "", "")
        table.append((*own, single.group or "", single.split or ""))
    write_csv(place, table)


def group_key(pairs: Pairs, group: str) -> str:
    """A group's name with the table that it belongs to: equal names in two tables are two groups.

    A folder and the table in it are one. Tables made in memory are not told apart; a table that was moved counts as another.
    Groups of joined tables are such keys already.
    """
    if pairs.tables:
        return group
    place = pairs.place
    if place is not None and place.is_dir():
        place = own_table(place) or place
    return f"{digest(str(place))[:16]} {group}" if place is not None else f"{pairs.source} {group}"


def read_collection(
    source: object, *, texts: bool = False, modality: str | None = None, reading: Reading | None = None
) -> tuple[tuple[Item, ...], tuple[Skipped, ...]]:
    """The items of a folder or table, whether they have texts or not; with `texts`, its distinct texts instead."""
    items: dict[str, Item] = {}
    skipped = []
    for found in iterate_collection(source, texts=texts, modality=modality, reading=reading):
        if isinstance(found, Skipped):
            skipped.append(found)
        else:
            items.setdefault(found.id, found)
    if not items:
        raise NothingUsableError(_nothing(_called(_place(source)), "text" if texts else "item", skipped))
    return tuple(items.values()), tuple(skipped)


def iterate_collection(
    source: object, *, texts: bool = False, modality: str | None = None, reading: Reading | None = None
) -> Iterator[Item | Skipped]:
    """Like `read_collection`, one by one, so that a folder of any size takes no memory; a table's items may repeat.

    `modality` says what files are whose ending says none; that of `reading` restricts too.
    """
    told = reading or Reading()
    restrict = bool(told.modality)
    if modality and not restrict:
        told = replace(told, modality=(modality,))
    path = _place(source)
    rows = object_rows(source, told, restrict=restrict) if path is None else None
    for row in rows or source_of(path or Path(), told, captions=texts, restrict=restrict):
        item = row.item if not row.problem else None
        if row.kind == UNASKED:
            continue
        if row.text and (texts or (item is None and not row.problem)):
            name = plain_name(row.text)
            item = Item(id=name, modality="text", value=name)
        elif texts and not (item and item.modality == "text"):
            continue
        if item is not None and not (row.problem and not texts):
            yield replace(item, fields=row.fields) if row.fields else item
        elif row.problem:
            yield Skipped(item=row.place, reason=row.problem)


def _place(source: object) -> Path | None:
    """Where a table or folder lies; None for what is in memory. Raises `InputError` if nothing is there."""
    if not isinstance(source, str | Path):
        return None
    path = located(source)
    if not path.exists():
        raise InputError(f"{path} does not exist; expected a folder or a table ({', '.join(tables.ENDINGS)})")
    return path


def _called(path: Path | None) -> str:
    return "what was given" if path is None else str(path)


def _name(pairs: Pairs) -> str:
    return pairs.source if pairs.place else _called(None)


def _no_pair(path: str, found: Sorted, singles: tuple[Single, ...], taken: tuple[str, ...]) -> str:
    if found.unasked and not singles and not found.skipped:
        left_out = f"{found.unasked} rows or files are left out (--include, --exclude, --modality)"
        return f"{path} holds nothing that is asked for: {left_out}"
    if not singles:
        return _nothing(path, "pair", found.skipped)
    items = sum(single.item is not None for single in singles)
    lone = f"{items} items without a text and {len(singles) - items} texts without an item"
    told = f"; read as {'; '.join(taken)}" if taken else ""
    told += "; or begin with their structure alone: textanchor start --by structure" if 0 < items < len(singles) else ""
    tables = [f"; {one.item}: {one.reason}" for one in found.skipped if UNREAD in one.reason][:1]
    return f"{path} holds no usable pair: {lone}; a row needs both: a table, or one folder per class{told}{''.join(tables)}"


def _nothing(path: str, what: str, skipped: list[Skipped]) -> str:
    if not skipped:
        return f"{path} holds no {what}; expected rows, or files with a known ending"
    first = skipped[0]
    where = "; --root FOLDER says where the names of files begin" if first.reason.startswith("no such file") else ""
    return f"{path} holds no usable {what}: {len(skipped)} skipped, the first being {first.item}: {first.reason}{where}"


def _told_name(path: Path) -> str | None:
    """The split's name where a sample of ours says it; a file of that name that somebody else wrote says nothing."""
    about = (path if path.is_dir() else path.parent) / ABOUT
    try:
        told = read_json(about)
    except DamagedError:
        return None
    name = told.get("split_name") if isinstance(told, dict) and {"name", "sources", "counts"} <= told.keys() else None
    return name if isinstance(name, str) and name else None


def _located(item: Item, folder: Path) -> tuple[str, str]:
    """Where an item is, relative to a table's folder, or what it says."""
    if item.path is not None:
        return os.path.relpath(item.path, folder), ""
    if not isinstance(item.value, str):
        raise InputError(f"{item.id}: an item in memory cannot be written to a table")
    return "", item.value


def _named(item: Item) -> tuple[str, str]:
    return item.modality, item.id
