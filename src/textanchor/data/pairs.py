"""Pairs and collections from a table, a Hugging Face folder with metadata, or one folder per class."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from textanchor.data import tables
from textanchor.data.readers import reader
from textanchor.data.rows import Row, own_table, rows
from textanchor.errors import DamagedError, InputError, NothingUsableError
from textanchor.files import digest, read_json, write_csv
from textanchor.records import Item, Pair, Pairs, Single, Skipped

ABOUT = "about.json"


def read_pairs(source: str | Path, *, split_name: str | None = None, modality: str | None = None) -> Pairs:
    """Read (item, text) pairs, and what has no partner: rows with only an item or only a text.

    `modality` is taken for files whose ending says none, or several, and for no others. `split_name` names a predefined
    split that breaks groups on purpose ("official, speakers shared"); without it such a split is refused later. Raises
    `InputError` if there is no such table, `NothingUsableError` if no row is a usable pair.
    """
    path = _existing(source)
    reading = _Reading()
    for row in rows(path, _asked(modality)):
        reading.take(row)
    singles = reading.settled_singles()
    if not reading.pairs:
        raise NothingUsableError(_no_pair(path, reading.skipped, singles))
    return Pairs(
        rows=tuple(reading.pairs.values()),
        singles=singles,
        skipped=tuple(reading.skipped),
        split_name=split_name or _told_name(path),
        source=path.name,
        place=path.resolve(),
    )


def write_pairs(pairs: Pairs, file: str | Path) -> None:
    """Pairs and singles as a CSV table that `read_pairs` reads; files by their places relative to it.

    Raises `InputError` for an ending other than .csv, or items in memory that are no texts.
    """
    place = Path(file).expanduser()
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
    """
    place = pairs.place
    if place is not None and place.is_dir():
        place = own_table(place) or place
    return f"{digest(str(place))[:16]} {group}" if place is not None else f"{pairs.source} {group}"


def read_collection(
    source: str | Path, *, texts: bool = False, modality: str | None = None
) -> tuple[tuple[Item, ...], tuple[Skipped, ...]]:
    """The items of a folder or table, whether they have texts or not; with `texts`, its distinct texts instead."""
    items: dict[str, Item] = {}
    skipped = []
    for found in iterate_collection(source, texts=texts, modality=modality):
        if isinstance(found, Skipped):
            skipped.append(found)
        else:
            items.setdefault(found.id, found)
    if not items:
        raise NothingUsableError(_nothing(_existing(source), "text" if texts else "item", skipped))
    return tuple(items.values()), tuple(skipped)


def iterate_collection(source: str | Path, *, texts: bool = False, modality: str | None = None) -> Iterator[Item | Skipped]:
    """Like `read_collection`, one by one, so that a folder of any size takes no memory; a table's items may repeat."""
    for row in rows(_existing(source), _asked(modality)):
        item = row.item
        if row.text and (texts or (item is None and not row.problem)):
            item = Item(id=row.text, modality="text", value=row.text)
        elif texts and not (item and item.modality == "text"):
            continue
        if item is not None and not (row.problem and not texts):
            yield item
        elif row.problem:
            yield Skipped(item=row.place, reason=row.problem)


class _Reading:
    """Rows sorted into pairs, singles and what is skipped."""

    def __init__(self) -> None:
        self.pairs: dict[tuple[str, str, str, str], Pair] = {}
        self.singles: dict[tuple[str, str, str], tuple[str, Single]] = {}
        self.skipped: list[Skipped] = []
        self._items: dict[str, Item] = {}

    def take(self, row: Row) -> None:
        problem = row.problem or self._kept(row)
        if problem:
            self.skipped.append(Skipped(item=row.place, reason=problem))

    def settled_singles(self) -> tuple[Single, ...]:
        """Items whose text stands in no other row, and texts, of modalities that have pairs."""
        paired = {pair.item.id for pair in self.pairs.values()}
        modalities = {pair.item.modality for pair in self.pairs.values()}
        kept = []
        for place, single in self.singles.values():
            problem = ""
            if single.item is not None and single.item.id in paired:
                problem = "no text, and another row of the same item has one"
            elif modalities and single.modality not in (None, *modalities):
                problem = f"no partner, and the table has no pair of {single.modality} that could teach what it means"
            if problem:
                self.skipped.append(Skipped(item=place, reason=problem))
            else:
                kept.append(single)
        return tuple(kept)

    def _kept(self, row: Row) -> str:
        """Keep a row, or say what is wrong with it."""
        if row.item is None:
            modality = _projected(row.modality) or None
            return self._keep_single(
                row, Single(text=row.text, modality=modality, group=row.group or None, split=row.split or None)
            )
        item = replace(row.item, modality=_projected(row.item.modality))
        if self._items.setdefault(item.id, item) != item:
            return f"item '{item.id}' was another file or modality before"
        if not row.text:
            single = Single(item=item, modality=item.modality, group=row.group or None, split=row.split or None)
            return self._keep_single(row, single)
        key = (item.id, row.text, row.group, row.split)  # a second group or side of the same pair must not be lost
        if key in self.pairs:
            return "duplicate of an earlier row"
        self.pairs[key] = Pair(item=item, text=row.text, group=row.group or None, split=row.split or None)
        return ""

    def _keep_single(self, row: Row, single: Single) -> str:
        key = (single.item.id if single.item else "", single.text or "", f"{single.modality} {single.group}")
        if key in self.singles:
            return "duplicate of an earlier row"
        self.singles[key] = (row.place, single)
        return ""


def _projected(modality: str) -> str:
    """An item that is a text gets a projector of its own, as a document; the anchor's texts never do."""
    return "document" if modality == "text" else modality


def _asked(modality: str | None) -> str | None:
    """Raises `UnknownNameError` for a modality that no reader reads."""
    return reader(modality).modality if modality else None


def _existing(source: str | Path) -> Path:
    path = Path(source).expanduser()
    if not path.exists():
        raise InputError(f"{path} does not exist; expected a folder or a table ({', '.join(tables.ENDINGS)})")
    return path


def _no_pair(path: Path, skipped: list[Skipped], singles: tuple[Single, ...]) -> str:
    if not singles:
        return _nothing(path, "pair", skipped)
    items = sum(single.item is not None for single in singles)
    lone = f"{items} items without a text and {len(singles) - items} texts without an item"
    return f"{path} holds no usable pair: {lone}; a row needs both: a table, or one folder per class"


def _nothing(path: Path, what: str, skipped: list[Skipped]) -> str:
    if not skipped:
        return f"{path} holds no {what}; expected rows, or files with a known ending"
    first = skipped[0]
    return f"{path} holds no usable {what}: {len(skipped)} skipped, the first being {first.item}: {first.reason}"


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
