"""Tables row by row, with their line numbers: CSV and its kin, JSON, Parquet and Arrow, packed or not."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from textanchor.data.tables import arrow, delimited, json_shapes
from textanchor.data.tables.cells import Row
from textanchor.data.tables.streams import PACKED, kind
from textanchor.errors import InputError

MORE = delimited.MORE


@dataclass(frozen=True, kw_only=True)
class Heading:
    """A table's columns, in order of first appearance; `holding` are those whose cells hold an item's bytes, with the modality
    that the table itself states of them, if it does."""

    names: tuple[str, ...]
    holding: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class _Format:
    rows: Callable[[Path], Iterator[tuple[int, Row]]]
    names: Callable[[Path], tuple[str, ...]]
    holding: Callable[[Path], Mapping[str, str]] = lambda _: {}


_DELIMITED = _Format(rows=delimited.rows, names=delimited.names)
_LINES = _Format(rows=json_shapes.lines, names=json_shapes.names_of_lines)
_JSON = _Format(rows=json_shapes.rows, names=json_shapes.names)
_PARQUET = _Format(rows=arrow.parquet_rows, names=arrow.parquet_names, holding=arrow.parquet_holding)
_ARROW = _Format(rows=arrow.arrow_rows, names=arrow.arrow_names, holding=arrow.arrow_holding)
_FORMATS: dict[str, _Format] = {
    ".csv": _DELIMITED,
    ".tsv": _DELIMITED,
    ".psv": _DELIMITED,
    ".jsonl": _LINES,
    ".ndjson": _LINES,
    ".json": _JSON,
    ".parquet": _PARQUET,
    ".arrow": _ARROW,
    ".feather": _ARROW,
}
_SPREADSHEETS = (".xlsx", ".xls", ".ods", ".numbers")
ENDINGS = tuple(_FORMATS)


def rows(path: Path, *, headed: bool = True) -> Iterator[tuple[int, Row]]:
    """All rows with their line (JSON, Parquet: row) numbers; a delimited table that is not `headed` has numbered columns.

    No more of a table is in memory than a row, or 4096 of a Parquet file, or all of a JSON array. Cells are as the table has
    them; bytes within it are `cells.Embedded` and not yet read. Raises `InputError` where it turns out to be no such table.
    """
    told = _format(path)
    with _refused(path):
        yield from told.rows(path) if headed else delimited.rows(path, headed=False)


def heading(path: Path) -> Heading:
    """The columns. A JSON-lines file is read through for them: its rows may differ. Raises `InputError` if it is no table."""
    told = _format(path)
    with _refused(path):
        return Heading(names=told.names(path), holding=told.holding(path))


def may_be_headless(path: Path) -> bool:
    """Whether its columns are named by its first line alone."""
    return _format(path) is _DELIMITED


def is_table(path: Path) -> bool:
    """Whether the ending is a table's."""
    return kind(path) in _FORMATS


def may_be_table(place: str) -> bool:
    """`is_table` of many names: it is quick to say no."""
    return place.lower().endswith((*ENDINGS, *PACKED)) and is_table(Path(place))


def stem(path: Path) -> str:
    """The name without the ending, and without that of the packing."""
    name = Path(path.stem) if path.suffix.lower() in PACKED else path
    return name.stem


def _format(path: Path) -> _Format:
    ending = kind(path)
    if ending in (".txt", ".data", ""):  # named outright, so it is meant as a table
        return _DELIMITED
    if ending not in _FORMATS:
        advice = "; save it as CSV" if ending in _SPREADSHEETS else ""
        raise InputError(f"{path} is no table; expected one of {', '.join(ENDINGS)} or a folder{advice}")
    return _FORMATS[ending]


@contextmanager
def _refused(path: Path) -> Iterator[None]:
    try:
        yield
    except UnicodeDecodeError as why:
        raise InputError(f"{path} is not UTF-8 text (byte {why.start}); save it as UTF-8") from None
    except InputError:
        raise
    except (OSError, EOFError, ValueError, RecursionError, csv.Error) as why:  # pyarrow's are ValueErrors or OSErrors
        told = "nested too deeply" if isinstance(why, RecursionError) else " ".join(str(why).split())
        raise InputError(f"{path} is not a readable {kind(path)[1:] or 'text'} table: {told}") from None
