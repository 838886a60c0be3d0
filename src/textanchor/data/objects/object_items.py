"""Which item a cell of a table in memory is: a file by its name, the bytes of one, a picture, a sound, an array."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from textanchor.data.objects import values
from textanchor.data.readers import guess_modality
from textanchor.data.rows import LOST, UNASKED, Wanted
from textanchor.data.tables.columns import modality_of, shown
from textanchor.data.tables.places import Places
from textanchor.records import Item
from textanchor.records.items import Held
from textanchor.registry import names


@dataclass(frozen=True, kw_only=True)
class Found:
    """An item, or what is wrong; neither of an empty cell."""

    item: Item | None = None
    problem: str = ""
    kind: str = LOST


NOTHING = Found()


def missing(cell: Any) -> bool:
    """None, NaN, what pandas has for nothing, and blanks."""
    if cell is None or type(cell).__name__ in ("NAType", "NaTType"):
        return True
    if isinstance(cell, float | np.floating):
        return bool(np.isnan(cell))
    return isinstance(cell, str) and not cell.strip()


@dataclass(kw_only=True)
class Items:
    """Items of cells. One object in several rows is one item, and so is one path; all else in memory is numbered.

    `within` keeps the numbers of several tables apart.
    """

    wanted: Wanted
    places: Places
    within: str = ""
    _known: dict[int, tuple[Any, Found]] = field(default_factory=dict)

    def of_cell(self, cell: Any, column: str = "", *, told: str = "", name: str = "") -> Found:
        """The item in a column of items; `told` is the modality that its row names, `name` the item's own."""
        if missing(cell):
            return NOTHING
        if id(cell) not in self._known or name:
            self._known[id(cell)] = cell, self._new(cell, column, told, name)  # kept, so that nothing else takes its number
        return self._known[id(cell)][1]

    def of_text(self, cell: Any, *, told: str = "", name: str = "") -> Found:
        """The item that is a text itself."""
        if missing(cell):
            return NOTHING
        if not isinstance(cell, str):
            return Found(problem=f"an item's text is a str, not {values.described(cell)}")
        return self._checked(Item(id=name or cell, modality=told or "document", value=cell))

    def of_anything(self, cell: Any) -> Found:
        """The item of a pair without columns: a str is a file if there is one, or looks like one, and else a text."""
        if isinstance(cell, str) and not missing(cell):
            path = values.file_of(cell)
            like = guess_modality(path) or (len(path.parts) > 1 and not any(letter.isspace() for letter in cell))
            if not like and not (len(cell) <= values.LONGEST and self.places.found(cell)):
                own = next((kind for kind in self.wanted.asked if kind not in ("image", "audio", "video", "series")), "")
                return self.of_text(cell, told=own)
        return self.of_cell(cell)

    def _new(self, cell: Any, column: str, told: str, name: str) -> Found:
        value = values.plain(cell)
        if isinstance(value, Item):
            return self._checked(value)
        if isinstance(value, str | Path):
            return self._file(str(value), told, modality_of(column) or "", name)
        asked = next(iter(self.wanted.asked), "")
        sure = "" if isinstance(value, Held | np.ndarray | list) else values.kind_of(value) or ""
        beside = guess_modality(Path(str(cell.get("path") or ""))) if isinstance(cell, Mapping) else None
        kind = told or sure or asked or beside or modality_of(column) or values.kind_of(value) or ""
        if not kind:
            where = f"`{shown(column)}` holds " if column else ""
            return Found(problem=f"{where}{values.described(cell)}; say what it is: read_pairs(..., modality=)")
        if kind == "series" and isinstance(value, list):
            value = np.asarray(value)
        return self._checked(Item(id=name or f"{self.within}{kind} {len(self._known) + 1}", modality=kind, value=value))

    def _file(self, place: str, told: str, by_column: str, name: str) -> Found:
        found = self.places.found(place) if len(place) <= values.LONGEST else None
        path = values.file_of(place)
        kind = told or self.wanted.modality(path) or by_column
        if not self.wanted.place(place):
            return Found(problem="not asked for", kind=UNASKED)
        if not kind:
            return Found(problem=f"unknown kind of file '{path.name[-80:]}'")
        if found is None:
            return Found(problem=f"no such file: {place[:200]}")
        return self._checked(Item(id=name or f"{self.within}{found[1]}", modality=kind, path=found[0]))

    def _checked(self, item: Item) -> Found:
        """An item of a modality that is known and asked for."""
        if item.modality not in names("reader"):
            return Found(problem=f"unknown modality '{item.modality}'")
        return Found(item=item) if self.wanted.kind(item.modality) else Found(problem="not asked for", kind=UNASKED)
