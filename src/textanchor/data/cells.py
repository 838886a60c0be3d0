"""Cells of tables in memory: which item a cell is, and which texts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from textanchor.data import values
from textanchor.data.arrays import as_array
from textanchor.data.columns import modality_of, shown
from textanchor.data.readers import guess_modality
from textanchor.records import Item
from textanchor.registry import names

Found = tuple[Item | None, str]  # and what is wrong with it
Texts = tuple[list[str], str]
FileKind = Callable[[Path, str | None], str]  # the modality of a file by its ending, where one was asked for; "" if unknown


def missing(cell: Any) -> bool:
    """None, NaN, and what pandas has for nothing."""
    if cell is None or type(cell).__name__ in ("NAType", "NaTType"):
        return True
    return isinstance(cell, float | np.floating) and bool(np.isnan(cell))


def texts(cell: Any, column: str, classes: Sequence[str] | None = None) -> Texts:
    """The texts of a cell: a str, a number as a name of its class or as it is written, or several in a list."""
    if missing(cell):
        return [], ""
    if isinstance(cell, str):
        return [" ".join(cell.split())] if cell.strip() else [], ""
    array = as_array(cell)
    if isinstance(cell, list | tuple | set | frozenset) or (array is not None and array.ndim == 1):
        several = sorted(cell) if isinstance(cell, set | frozenset) else list(cell)
        told = [texts(one, column, classes) for one in several if classes or not _is_number(one)]
        problem = next((why for _, why in told if why), "" if len(told) == len(several) else _no_text(column, cell))
        return list(dict.fromkeys(text for found, _ in told for text in found)), problem
    if array is not None and array.ndim == 0:
        return texts(array.item(), column, classes)
    if isinstance(cell, int) and not isinstance(cell, bool) and classes:
        if cell == -1:  # which is how data sets say that a class is not known
            return [], ""
        fits = 0 <= cell < len(classes)
        return (
            texts(classes[cell], column)
            if fits
            else ([], f"`{shown(column)}` is {cell}; its classes are 0 to {len(classes) - 1}")
        )
    if isinstance(cell, int) or (isinstance(cell, float) and cell.is_integer()):  # floats where pandas had gaps to fill
        return [str(cell if isinstance(cell, bool) else int(cell))], ""
    return [], _no_text(column, cell)


def _is_number(cell: Any) -> bool:
    return isinstance(cell, int | float | np.number) and not isinstance(cell, bool)


def _no_text(column: str, cell: Any) -> str:
    return f"`{shown(column)}` holds {values.described(cell)}, which is no text"


@dataclass(kw_only=True)
class Items:
    """Items of cells. One object in several rows is one item, and so is one path; everything else in memory has a number.

    `asked` is the modality of what does not say its own; `within` keeps the numbers of several tables apart.
    """

    asked: str | None
    kind_of_file: FileKind
    within: str = ""
    _named: dict[int, tuple[Any, Item]] = field(default_factory=dict)

    def of_cell(self, cell: Any, column: str, *, told: str = "", name: str = "") -> Found:
        """The item in a column of items; `told` is the modality that its row names, `name` the item's own."""
        if missing(cell) or (isinstance(cell, str) and not cell.strip()):
            return None, ""
        if told and told not in names("reader"):
            return None, f"unknown modality '{told}'"
        if id(cell) in self._named and not name:
            return self._named[id(cell)][1], ""
        found, problem = self._new(cell, column, told, name)
        if found is not None:
            self._named[id(cell)] = cell, found  # the cell is kept, so that no other object takes its number
        return found, problem

    def of_text(self, cell: Any, *, told: str = "", name: str = "") -> Found:
        """The item that is a text itself."""
        if missing(cell) or (isinstance(cell, str) and not cell.strip()):
            return None, ""
        if not isinstance(cell, str):
            return None, f"an item's text is a str, not {values.described(cell)}"
        return Item(id=name or cell, modality=told or "document", value=cell), ""

    def of_anything(self, cell: Any) -> Found:
        """The item of a pair without columns: a str is a file if there is one, or looks like one, and else a text."""
        if isinstance(cell, str):
            path = values.file_of(cell)
            like = guess_modality(path) or (len(path.parts) > 1 and not any(letter.isspace() for letter in cell))
            if not values.names_a_file(cell) and not like:
                return self.of_text(cell, told=self.asked or "")
        return self.of_cell(cell, "")

    def _new(self, cell: Any, column: str, told: str, name: str) -> Found:
        by_name = modality_of(column) or ""
        value = values.plain(cell)
        if isinstance(value, Item):
            return value, ""
        if isinstance(value, str | Path):
            place = str(value)
            path = values.file_of(place)
            kind = told or self.kind_of_file(path, self.asked) or by_name
            if not kind:
                return None, f"unknown kind of file '{path.name}'"
            if not values.is_file(path):
                return None, f"no such file: {place}"
            return values.item(name or place, kind, path), ""
        sure = "" if isinstance(value, bytes | np.ndarray | list) else values.kind_of(value) or ""
        beside = guess_modality(Path(str(cell.get("path") or ""))) if isinstance(cell, Mapping) else None
        kind = told or sure or self.asked or beside or by_name or values.kind_of(value) or ""
        if not kind:
            where = f"`{shown(column)}` holds " if column else ""
            return None, f"{where}{values.described(cell)}; say what it is: read_pairs(..., modality=)"
        if kind == "series" and isinstance(value, list):
            value = np.asarray(value)
        return values.item(name or f"{self.within}{kind} {len(self._named) + 1}", kind, value), ""
