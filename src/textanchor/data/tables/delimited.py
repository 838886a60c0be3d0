"""CSV and its kin: the delimiter is found, names that stand twice are told apart."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, TextIO

from textanchor.data.tables.cells import Row
from textanchor.data.tables.columns import chosen, unique
from textanchor.data.tables.streams import opened
from textanchor.errors import InputError

MORE = "\0more"  # the key of cells beyond the last column
_MARKS = ",;\t|"
_FIELD = 1 << 24


@dataclass(frozen=True, kw_only=True)
class _Form:
    mark: str
    quoting: Any = csv.QUOTE_MINIMAL
    skipped: int = 0  # lines before the heading

    def reader(self, stream: TextIO) -> Any:
        """Rows as lists of strings; lines are counted from the file's first."""
        csv.field_size_limit(_FIELD)
        for _ in range(self.skipped):
            stream.readline()
        return csv.reader(stream, delimiter=self.mark, quoting=self.quoting, strict=True)


def rows(path: Path, *, headed: bool = True) -> Iterator[tuple[int, Row]]:
    """Rows as texts by column; cells beyond the last column stand under `MORE`. Without a heading columns are numbered."""
    form = _form(path)
    count = len(names(path))
    with opened(path) as stream:
        table = form.reader(stream)
        keys = _keys(next(table, [])) if headed else _keys([""] * count)
        for cells in table:
            if cells:
                row: dict[str, Any] = dict(zip(keys, cells, strict=False))
                if any(cell.strip() for cell in cells[len(keys) :]):
                    row[MORE] = cells[len(keys) :]
                yield table.line_num + form.skipped, row


def names(path: Path) -> tuple[str, ...]:
    """The columns of the heading."""
    form = _form(path)
    with opened(path) as stream:
        return tuple(_keys(next(form.reader(stream), [])))


def _keys(heading: list[str]) -> list[str]:
    """A column without a name is called by its place, as pandas' index is."""
    return unique([name.strip() or f"column {place}" for place, name in enumerate(heading, start=1)])


def _form(path: Path) -> _Form:
    """The delimiter under which most columns are known, then the one that makes most columns; a comma where none is there."""
    with opened(path) as stream:
        lines, skipped = list(islice(stream, 50)), 0
    while lines and not lines[0].strip():
        lines, skipped = lines[1:], skipped + 1
    if lines and (told := re.fullmatch(r"sep=(.)\s*", lines[0])):  # how Excel says it
        return _Form(mark=told[1], skipped=skipped + 1)
    mark = max(_MARKS, key=lambda one: _fits(lines, one))
    if mark in "\t|" and not _quoted_well(path, _Form(mark=mark, skipped=skipped)):
        return _Form(mark=mark, quoting=csv.QUOTE_NONE, skipped=skipped)
    return _Form(mark=mark, skipped=skipped)


def _fits(lines: list[str], mark: str) -> tuple[int, int]:
    try:
        heading = next(csv.reader(lines, delimiter=mark, strict=True), [])
        found = chosen(_keys(heading))
    except (csv.Error, InputError):
        return 0, lines[0].count(mark) if lines else 0
    return bool(found.paths or found.item_text) + bool(found.texts), len(heading)


def _quoted_well(path: Path, form: _Form) -> bool:
    """Whether quotes enclose cells: in tables of tabs and bars they are often letters like any other.

    Where a cell's later lines hold the delimiter, a quotation over two rows made one of them.
    """
    joined = re.compile(rf"[\r\n].*{re.escape(form.mark)}", re.S)
    try:
        with opened(path) as stream:
            return not any(joined.search(cell) for cells in form.reader(stream) for cell in cells)
    except csv.Error:
        return False
