"""Rows of tables that are Python objects: what their cells say of items, texts, groups and sides, and what is wrong."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

from textanchor.data.arrays import as_array
from textanchor.data.objects.object_items import NOTHING, Items, missing
from textanchor.data.objects.object_tables import ITEM, TEXT, Cells, Table, tables_of
from textanchor.data.objects.values import described, kind_of, plain
from textanchor.data.rows import UNASKED, Row, Wanted
from textanchor.data.side_names import side_of
from textanchor.data.tables.cells import Unclear, texts, within
from textanchor.data.tables.cells import fields as cell_fields
from textanchor.data.tables.columns import Columns, chosen, modality_of, shown, squeezed
from textanchor.data.tables.places import Places
from textanchor.errors import InputError
from textanchor.records import Item
from textanchor.records.items import Held
from textanchor.runtime import Reading

BARE = Columns(paths=(ITEM,), texts=(TEXT,))  # of rows that are (item, text)
PEEK = 100  # rows that are looked at for what a column holds
NO_SIDE = "(known: train, val, test and their usual names)"


@dataclass(frozen=True, kw_only=True)
class ObjectRows:
    """The rows of an object, one an item and text, and what was taken for what."""

    tables: Sequence[Table]
    columns: Sequence[Columns]
    wanted: Wanted
    base: Path

    @property
    def taken(self) -> tuple[str, ...]:
        """Lines for the user; none where rows are (item, text)."""
        told = (columns.described() for columns in self.columns if columns is not BARE)
        return tuple(dict.fromkeys(f"columns: {one}" for one in told))

    def __iter__(self) -> Iterator[Row]:
        for table, columns in zip(self.tables, self.columns, strict=True):
            within = f"{table.split}/" if table.split else ""
            items = Items(wanted=self.wanted, places=Places(self.base), within=within)
            for number, row in enumerate(table.rows(), start=1):
                yield from _rows(f"{within}row {number}", row, columns, items, table)


def object_rows(given: Any, reading: Reading, *, restrict: bool = True) -> ObjectRows:
    """Every row of an object; without `restrict` modalities only say what is not said. Relative paths begin in `reading.root`,
    or where the process is.

    Raises `InputError` for what has no rows, or no column of items or texts.
    """
    tables = tables_of(given)
    base, wanted = reading.root or Path(), Wanted(reading, restrict=restrict)
    columns = [BARE if table.bare else _chosen(table, reading) for table in tables]
    if not reading.path_column:
        columns = [one.without(_vain(table, one, wanted, base)) for table, one in zip(tables, columns, strict=True)]
    return ObjectRows(tables=tables, columns=columns, wanted=wanted, base=base)


def _vain(table: Table, columns: Columns, wanted: Wanted, base: Path) -> list[str]:
    """Columns, but the first of items, whose filled cells in the first rows hold no item and name none that is there."""
    vain = []
    for column in columns.paths[1:]:
        items = Items(wanted=wanted, places=Places(base))
        cells = (within(row, column) for row in islice(table.rows(), PEEK))
        told = [items.of_cell(cell, column) for cell in cells if not missing(cell)]
        if told and not any(one.item or one.kind == UNASKED for one in told):
            vain.append(column)
    return vain


def _rows(place: str, row: Cells, columns: Columns, items: Items, table: Table) -> Iterator[Row]:
    try:
        texts = [text for column in columns.texts for text in _texts(row, column, table.classes.get(column))]
        told, name, group, side = (_one(row, getattr(columns, role)) for role in ("modality", "item", "group", "split"))
    except Unclear as why:
        yield Row(place=place, item=None, text="", problem=str(why))
        return
    split = side_of(side or table.split)
    found = [
        items.of_anything(row[ITEM]) if table.bare else items.of_cell(within(row, column), column, told=told, name=name)
        for column in columns.paths
    ]
    if columns.item_text:
        found.append(items.of_text(row.get(columns.item_text), told=told, name=name))
    if len(columns.paths) > 1:
        found = [one for one in found if one.kind != UNASKED] or found
    wrong = next((one for one in found if one.problem), NOTHING)
    problem = wrong.problem or (
        f"unknown split '{side}' (known: train, val, test and their usual names)" if side and not split else ""
    )
    whole: list[Item | None] = [one.item for one in found if one.item is not None]
    if not whole and not texts:
        problem = problem or "neither an item nor a text"
    if problem:
        yield Row(place=place, item=None, text="", problem=problem, kind=wrong.kind)
        return
    group = group or (place if len(whole) > 1 else "")
    fields = {} if table.bare else cell_fields(row, columns.fields, shown)
    for item in whole or [None]:
        for text in dict.fromkeys(texts) or [""]:
            label = place if item is None else f"{place} {item.id}"[:200]
            yield Row(place=label, item=item, text=text, group=group, split=split, modality=told, fields=fields)


def _texts(row: Cells, column: str, classes: Sequence[str] | None) -> list[str]:
    """The texts of a cell, numbers of classes by their names. Raises `Unclear`."""
    cell = within(row, column)
    array = as_array(cell)
    plain_cell = None if missing(cell) else cell if array is None else array.tolist()
    if isinstance(plain_cell, set | frozenset):
        plain_cell = sorted(plain_cell, key=str)
    try:
        if classes and not isinstance(plain_cell, str):
            numbers = plain_cell if isinstance(plain_cell, Sequence) else [] if plain_cell is None else [plain_cell]
            plain_cell = [_named(number, classes) for number in numbers if number != -1]  # -1: the class is not known
        if not isinstance(plain_cell, str | int | float | Sequence | Mapping | bytes | None):
            raise Unclear(f"holds {described(cell)}, which is no text")
        return texts(plain_cell)
    except Unclear as why:
        raise Unclear(f"column `{shown(column)}` {why}") from None


def _named(number: Any, classes: Sequence[str]) -> str:
    if isinstance(number, str):
        return number
    if not isinstance(number, int) or not 0 <= number < len(classes):
        raise Unclear(f"holds {number!r}; its classes are 0 to {len(classes) - 1}")
    return classes[number]


def _one(row: Cells, column: str | None) -> str:
    """A cell that names something: a group, a side, a modality. Raises `Unclear`."""
    found = _texts(row, column, None) if column else []
    if len(found) > 1:
        raise Unclear(f"column `{shown(column or '')}` holds several values")
    return found[0] if found else ""


def _chosen(table: Table, reading: Reading) -> Columns:
    columns = chosen(table.columns, path=reading.path_column, text=reading.text_column, holding=_holding(table))
    if not columns.known:
        names = ", ".join(f"`{shown(name)}`" for name in table.columns)
        raise InputError(
            f"a table in memory has the columns {names}; expected one of items (such as `image`, `audio`, `path`) and one of "
            "texts (such as `text`, `caption`, `label`): rename them, or say read_pairs(..., path_column=, text_column=)"
        )
    if columns.split and squeezed(columns.split) != "split":
        sides = [_side(row, columns.split) for row in table.rows()]
        if not all(sides):  # a column `dataset` or `set` may mean anything
            return replace(columns, split=None, unused=(*columns.unused, columns.split))
    return columns


def _side(row: Cells, column: str) -> str:
    try:
        return side_of(_one(row, column))
    except Unclear:
        return ""


def _holding(table: Table) -> dict[str, str]:
    """Columns whose first cell that is not missing holds an item and no words, with its modality where it is plain."""
    open_, found = list(table.columns), dict(table.holding)
    for number, row in enumerate(table.rows()):
        for name in [name for name in open_ if not missing(row.get(name))]:
            open_.remove(name)
            value = plain(row[name])
            kind = "" if isinstance(value, str | Path) else kind_of(value) or ""
            if kind or isinstance(value, Held):
                found.setdefault(name, modality_of(name) or kind)
        if not open_ or number > PEEK:
            break
    return found
