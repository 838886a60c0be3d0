"""Rows of one table: what its cells say of items, texts, groups and sides, and what is wrong."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

from textanchor.data import tables
from textanchor.data.rows import LOST, UNASKED, Row, Wanted
from textanchor.data.side_names import side_of
from textanchor.data.tables import cells
from textanchor.data.tables.cells import Embedded, Unclear
from textanchor.data.tables.columns import FILES, Columns, chosen, modality_of, shown, squeezed
from textanchor.data.tables.places import Places, base_of
from textanchor.errors import InputError
from textanchor.files import located
from textanchor.records import Item
from textanchor.registry import names
from textanchor.runtime import Reading

_PEEK = 50
_NO_SIDE = "(known: train, val, test and their usual names)"


@dataclass(frozen=True, kw_only=True)
class Thing:
    """An item that a row names: its place as it is shown, or what is wrong."""

    place: str = ""
    item: Item | None = None
    problem: str = ""
    kind: str = LOST


@dataclass(frozen=True, kw_only=True)
class TableRows:
    """A table with the meaning of its columns; `split` and `within` are what its folder adds to its rows.

    `prefix` stands before the names of its files, so that equal ones of several folders are kept apart.
    """

    file: Path
    columns: Columns
    holding: Mapping[str, str]
    places: Places
    wanted: Wanted
    split: str = ""
    within: str = ""
    prefix: str = ""
    headed: bool = True

    @property
    def taken(self) -> str:
        """What was taken for what, in one line."""
        base = self.places.base
        where = f"; files from {base}" if base != self.file.parent and self.columns.paths else ""
        side = f"; split {self.split}" if self.split and not self.columns.split else ""
        return f"{self.within}{self.file.name}: {self.columns.described()}{where}{side}"

    @property
    def holds_its_items(self) -> bool:
        """Whether items lie within the table, and not in files that it names."""
        return all(path in self.holding for path in self.columns.paths)

    def finds_its_files(self) -> bool:
        """Whether one of the first rows names a file that is there, or holds one."""
        first = (row for _, row in islice(tables.rows(self.file, headed=self.headed), _PEEK))
        return any(thing.item for row in first for thing in self._things(row, "", "", ""))

    def sparing(self, first: list[cells.Row]) -> TableRows:
        """Without columns, but the first of items, whose filled cells in the first rows name nothing that is there."""
        vain = []
        for column in self.columns.paths[1:]:
            alone = replace(self, columns=Columns(paths=(column,)))
            told = [thing for row in first for thing in alone._things(row, "", "", "")]
            if told and not any(thing.item or thing.kind == UNASKED for thing in told):
                vain.append(column)
        return replace(self, columns=self.columns.without(vain))

    def __iter__(self) -> Iterator[Row]:
        """Raises `InputError` if the table cannot be read."""
        for number, row in tables.rows(self.file, headed=self.headed):
            yield from self._rows(number, row)

    def _rows(self, number: int, row: cells.Row) -> Iterator[Row]:
        """A row for each item and each text of a table's row, or one that says what is wrong."""
        label = f"{self.within}{self.file.name}:{number}"
        try:
            texts = [text for column in self.columns.texts for text in _told(cells.texts, row, column)]
            item, group, split, modality = (self._one(row, name) for name in ("item", "group", "split", "modality"))
        except Unclear as why:
            yield Row(place=label, item=None, text="", problem=str(why))
            return
        side = side_of(split) if split else self.split
        problem = "more cells than columns; a text with a comma needs quotes" if tables.MORE in row else ""
        if split and not side:
            problem = problem or f"unknown split '{split}' {_NO_SIDE}"
        things = list(self._things(row, label, item, modality))
        if len(self.columns.paths) > 1:  # one that is not asked for, or not there, takes none of the others with it
            things = [thing for thing in things if thing.kind != UNASKED] or things
            if any(thing.item for thing in things) and not problem:
                for thing in [thing for thing in things if thing.problem]:
                    things.remove(thing)
                    place = f"{label} {thing.place}".strip()
                    yield Row(place=place, item=None, text="", problem=thing.problem, kind=thing.kind)
        wrong = next((thing for thing in things if thing.problem), None)
        if wrong or problem:
            first = wrong or next(iter(things), Thing())
            kind = first.kind if first.problem else LOST
            yield Row(place=f"{label} {first.place}".strip(), item=None, text="", problem=first.problem or problem, kind=kind)
            return
        if len(things) > 1:
            group = group or label
        folder = _sides_of_folders(things[0].place) if things else ""
        if not things and not self.wanted.kind(modality or "") and modality:
            yield Row(place=label, item=None, text="", problem="not asked for", kind=UNASKED)
            return
        if not things and modality and _unknown(modality) and texts:
            yield Row(place=label, item=None, text="", problem=_unknown(modality))
            return
        fields = cells.fields(row, self.columns.fields, shown)
        found = Row(place=label, item=None, text="", group=group, split=side, folder=folder, modality=modality, fields=fields)
        if not things and not texts:
            yield replace(found, problem="neither an item nor a text")
        for thing in things or [Thing()]:
            for text in dict.fromkeys(texts) or [""]:
                if thing.item is not None or text:
                    yield replace(found, place=f"{label} {thing.place}".strip(), item=thing.item, text=text)

    def _one(self, row: cells.Row, role: str) -> str:
        column: str | None = getattr(self.columns, role)
        return _told(cells.text, row, column) if column else ""

    def _things(self, row: cells.Row, label: str, name: str, modality: str) -> Iterator[Thing]:
        """The items of a row: what its path columns name or hold, or a text that is an item."""
        several = len(self.columns.paths) > 1
        count = 0
        for column in self.columns.paths:
            value = cells.within(row, column)
            for one in value if cells.is_list_of_names(value) else [value]:
                try:
                    thing = self._thing(one, column, label, "" if several and modality_of(column) else modality)
                except Unclear as why:
                    thing = Thing(problem=f"column `{shown(column)}` {why}")
                if thing is None:
                    continue
                count += 1
                if thing.item is not None and name:
                    own = name if not several and count == 1 else f"{name} {count}"
                    thing = replace(thing, item=replace(thing.item, id=own))
                yield thing
        if not count and self.columns.item_text:
            try:
                value = _told(cells.text, row, self.columns.item_text)
            except Unclear as why:
                yield Thing(problem=str(why))
                return
            if value:
                kind = modality or "document"
                yield self._checked(Thing(place=value, item=Item(id=name or value, modality=kind, value=value)))

    def _thing(self, value: Any, column: str, label: str, modality: str) -> Thing | None:
        """What one cell, or one of its list, says of an item; None for an empty one. Raises `Unclear`."""
        stated = modality or self.holding.get(column, "") or modality_of(column.rpartition(".")[2]) or ""
        if isinstance(value, Embedded) and value.held is not None:
            if value.place or stated or squeezed(column) not in FILES:
                kind = stated or self.wanted.modality(Path(value.place)) or next(iter(self.wanted.asked), "")
                if not kind:
                    return Thing(place=value.place, problem=f"column `{shown(column)}` holds bytes; say of what: --modality")
                item = Item(id=f"{label} {value.place}".strip(), modality=kind, value=value.held)
                return self._checked(Thing(place=value.place, item=item))
            value = cells.text(value)  # names of files, written as bytes
        if isinstance(value, Embedded):
            value = value.place
        if isinstance(value, Mapping):
            value = cells.named_in(value)
        if isinstance(value, tuple) or (isinstance(value, list) and "series" in (stated, *self.wanted.asked)):
            kind = "audio" if isinstance(value, tuple) else "series"
            return self._checked(Thing(item=Item(id=label, modality=modality or kind, value=value)))
        place = cells.text(value) if not isinstance(value, str) else value.strip()
        return self._file(place, modality, stated) if place else None

    def _file(self, place: str, modality: str, stated: str) -> Thing:
        """The item that is a file of that name."""
        if re.match(r"[a-z][a-z0-9+.-]+://", place) and not place.startswith("file://"):
            return Thing(place=place, problem="an address and no file here; fetch it first")
        place = place.removeprefix("file://")
        found = self.places.found(place)
        file, actual = found or (self.places.base / located(place), place)
        kind = modality or self.wanted.modality(file) or (stated if not file.suffix else "")
        if not self.wanted.place(f"{self.prefix}{place}"):
            return Thing(place=place, problem="not asked for", kind=UNASKED)
        if not kind and (found or file.suffix):
            return Thing(place=place, problem=f"unknown kind of file '{file.name}'")
        if kind and _unknown(kind):
            return Thing(place=place, problem=_unknown(kind))
        if kind and not self.wanted.kind(kind):
            return Thing(place=place, problem="not asked for", kind=UNASKED)
        if found is None:
            return Thing(place=place, problem=f"no such file: {place}")
        return Thing(place=place, item=Item(id=f"{self.prefix}{actual}", modality=kind, path=file))

    def _checked(self, thing: Thing) -> Thing:
        """An item of a modality that is known and asked for."""
        assert thing.item is not None
        if problem := _unknown(thing.item.modality):
            return Thing(place=thing.place, problem=problem)
        asked = self.wanted.kind(thing.item.modality) and (not thing.place or self.wanted.place(f"{self.prefix}{thing.place}"))
        return thing if asked else Thing(place=thing.place, problem="not asked for", kind=UNASKED)


def table_rows(
    file: Path, reading: Reading, wanted: Wanted, *, split: str = "", within: str = "", root: Path | None = None
) -> TableRows:
    """A table with what its columns mean; `within` keeps equal file names of several folders apart, and of `root` folders are
    looked through for the files.

    Raises `InputError` if it is no table, or if none of its columns means anything.
    """
    heading = tables.heading(file)
    headed = not _begins_with_a_file(file, heading.names, reading, root)
    known = heading.names if headed else tuple(f"column {place}" for place in range(1, len(heading.names) + 1))
    path, text = (reading.path_column, reading.text_column) if headed else _numbered(heading.names, reading)
    columns = chosen(known, path=path, text=text, holding=heading.holding)
    if heading.names and not columns.known:
        raise InputError(
            f"{file} has the columns {', '.join(sorted(map(shown, heading.names)))}; expected `path` (or `image`, `audio`, "
            "`file_name`, ..., or `item_text`) and `text` (or `caption`, `label`, ...); say yours: --path-column, --text-column"
        )
    first = [row for _, row in islice(tables.rows(file, headed=headed), _PEEK)]
    if columns.split and squeezed(columns.split) != "split" and not _all_sides(first, columns.split):
        columns = replace(columns, split=None, unused=(*columns.unused, columns.split))
    named = [[value for row in first if isinstance(value := cells.within(row, path), str)] for path in columns.paths]
    sample = [name.strip() for name in next((names for names in named if any(names)), [])]
    base = reading.root or base_of(file.parent, sample, side=split, root=root)
    prefix = within
    if base not in (file.parent, reading.root):
        prefix = "".join(f"{folder}/" for folder in Path(os.path.relpath(base, root or file.parent)).parts)
    found = TableRows(
        prefix=prefix,
        file=file,
        columns=columns,
        holding=heading.holding,
        places=Places(base),
        wanted=wanted,
        split=split,
        within=within,
        headed=headed,
    )
    return found if path else found.sparing(first)


def _begins_with_a_file(file: Path, names: tuple[str, ...], reading: Reading, root: Path | None) -> bool:
    """Whether the first line is no heading but a row, because it names a file that is there."""
    if not tables.may_be_headless(file) or len(names) < 2 or (not reading.path_column and chosen(names).known):
        return False
    told = [shown(name) for name in names]
    return any(Places(reading.root or base_of(file.parent, [name], root=root)).found(name) is not None for name in told)


def _numbered(names: tuple[str, ...], reading: Reading) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Columns without a heading: as they are asked for by number, else the first that may be a file and the one beside it."""
    if reading.path_column or reading.text_column:
        return reading.path_column or ("1",), reading.text_column or ("2",)
    return ("1",), ("2",)


def _told(read: Any, row: cells.Row, column: str) -> Any:
    """A cell as `read` understands it. Raises `Unclear` with the name of the column, and of the option that helps."""
    try:
        return read(cells.within(row, column))
    except Unclear as why:
        field = re.search(r"with the fields (\w+)", str(why))
        advice = f"; name one, as in --text-column {shown(column)}.{field[1]}" if field and "written" not in str(why) else ""
        raise Unclear(f"column `{shown(column)}` {why}{advice}") from None


def _all_sides(rows: list[cells.Row], column: str) -> bool:
    values = [value for row in rows if (value := cells.within(row, column)) not in (None, "")]
    return bool(values) and all(isinstance(value, str) and side_of(value) for value in values)


def _sides_of_folders(place: str) -> str:
    """What each folder means, a slash between them, empty where it is no side: `/dev/photos/train` is `/val//train`."""
    folders = place.replace("\\", "/").split("/")[:-1]
    return "/".join(side_of(folder) if folder else "" for folder in folders).rstrip("/")


def _unknown(modality: str) -> str:
    return "" if modality in names("reader") else f"unknown modality '{modality}'"
