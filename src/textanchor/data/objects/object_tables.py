"""Tables that are Python objects: data frames, data sets, lists of rows, dicts of columns, and (X, y).

No library is imported for them: what has columns and rows is known by its methods, so that pandas, polars, pyarrow and
`datasets` need not be there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from textanchor.data.arrays import as_array
from textanchor.data.objects.values import described, plain
from textanchor.data.tables.columns import unique
from textanchor.errors import InputError
from textanchor.records import Item, Pair

Cells = Mapping[str, Any]
ITEM, TEXT = "item", "text"


@dataclass(frozen=True, kw_only=True)
class Table:
    """Columns and rows; `classes` are the names of class numbers by column, `split` the side that all rows are on.

    `rows` may be asked for again.
    """

    columns: Sequence[str]
    rows: Callable[[], Iterable[Cells]]
    classes: Mapping[str, Sequence[str]] = field(default_factory=dict)
    holding: Mapping[str, str] = field(default_factory=dict)
    split: str = ""
    bare: bool = False


def is_table(given: Any) -> bool:
    """Whether an object that might be a collection of items has rows with columns, or pairs."""
    if isinstance(given, str | Path | Item):
        return False
    if isinstance(given, Mapping):
        return plain(given) is given
    if has_columns(given):
        return True
    first = given[0] if isinstance(given, list) and given else None
    if isinstance(first, tuple):
        return len(first) == 2 and isinstance(first[1], str)
    return isinstance(first, Pair) or (isinstance(first, Mapping) and plain(first) is first)


def tables_of(given: Any) -> list[Table]:
    """The tables that an object is, one a side of a split. Raises `InputError` for what has no rows."""
    if isinstance(given, Mapping) and given and all(has_columns(table) for table in given.values()):
        return [_with_split(table, str(name)) for name, table in given.items()]
    if has_columns(given):
        return [_columned(given)]
    if isinstance(given, Mapping):
        return [_of_columns(given)]
    if isinstance(given, tuple) and len(given) == 2 and not all(isinstance(one, tuple) and len(one) == 2 for one in given):
        return [_two(*given)]
    return [_listed(given)]


def has_columns(given: Any) -> bool:
    """A data frame of pandas or polars, a table of pyarrow, a data set of `datasets`; a list of features is none."""
    return any(hasattr(given, name) for name in ("itertuples", "iter_rows", "to_batches")) or hasattr(given, "column_names")


def _with_split(table: Any, split: str) -> Table:
    return replace(_columned(table), split=split)


def _columned(given: Any) -> Table:
    if hasattr(given, "itertuples") or hasattr(given, "iter_rows"):
        columns = unique([str(name) for name in given.columns])

        def rows() -> Iterator[Cells]:
            told = given.itertuples(index=False, name=None) if hasattr(given, "itertuples") else given.iter_rows()
            return (dict(zip(columns, cells, strict=True)) for cells in told)

        return Table(columns=columns, rows=rows)
    if hasattr(given, "features") or not hasattr(given, "to_batches"):
        return _data_set(given)
    return Table(
        columns=list(given.column_names), rows=lambda: (row for batch in given.to_batches() for row in batch.to_pylist())
    )


def _data_set(given: Any) -> Table:
    """Of the library `datasets`: class numbers have names, and files stay undecoded, so that their bytes are what is hashed."""
    features = dict(getattr(given, "features", None) or {})
    held = [name for name, feature in features.items() if hasattr(feature, "decode")]
    for name in held:
        if hasattr(given, "cast_column"):
            given = given.cast_column(name, type(features[name])(decode=False))
    inner = {name: getattr(feature, "feature", feature) for name, feature in features.items()}
    classes = {name: list(told) for name, feature in inner.items() if (told := getattr(feature, "names", None))}
    columns = list(features or given.column_names or next(iter(given), {}))
    return Table(columns=columns, rows=lambda: iter(given), classes=classes, holding=dict.fromkeys(held, ""))


def _of_columns(given: Mapping[Any, Any]) -> Table:
    columns = {str(name): cells for name, cells in given.items()}
    sizes = {name: len(cells) for name, cells in columns.items() if hasattr(cells, "__len__") and not isinstance(cells, str)}
    if len(sizes) < len(columns) or len(set(sizes.values())) != 1:
        told = ", ".join(f"`{name}` {sizes.get(name, 'no list')}" for name in columns)
        raise InputError(f"a dict is read as columns of equal length, and these are {told or 'none'}")
    return Table(
        columns=list(columns),
        rows=lambda: (dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)),
    )


def _two(items: Any, labels: Any) -> Table:
    """(X, y)."""
    if has_columns(items):
        raise InputError("X is a table; give the table itself, with its texts in a column, or one column of it")
    held, told = as_array(items), as_array(labels)
    if told is not None and told.ndim != 1:
        raise InputError(f"y is {described(labels)}; expected one text, class name or number an item")
    items, labels = items if held is None else held, labels if told is None else told
    sizes = [len(one) if hasattr(one, "__len__") else -1 for one in (items, labels)]
    if isinstance(items, str | Path | Mapping) or min(sizes) < 0 or sizes[0] != sizes[1]:
        counts = " and ".join(
            described(one) if size < 0 else f"{size}" for one, size in zip((items, labels), sizes, strict=True)
        )
        raise InputError(f"a tuple of two is read as (X, y), items and as many texts, not {counts}")
    pairs = list(zip(items, labels, strict=True))
    return Table(columns=(ITEM, TEXT), rows=lambda: ({ITEM: item, TEXT: label} for item, label in pairs), bare=True)


def _listed(given: Any) -> Table:
    """Rows one by one: dicts, named tuples, pairs; or a data set that is asked by number, with the names of its `classes`."""
    by_number = hasattr(given, "__getitem__") and hasattr(given, "__len__")
    if isinstance(given, str | bytes) or not (by_number or isinstance(given, Iterable)) or as_array(given) is not None:
        raise InputError(
            f"{described(given)} has no rows; expected a folder, a table, a data frame, a data set, a list of (item, text) "
            "or of dicts, or (X, y)"
        )
    rows = [given[row] for row in range(len(given))] if by_number else list(given)
    cells = [row._asdict() if hasattr(row, "_asdict") else row for row in rows]
    if cells and all(isinstance(row, Mapping) for row in cells):
        columns = list(dict.fromkeys(str(name) for row in cells for name in row))
        return Table(columns=columns, rows=lambda: ({str(name): cell for name, cell in row.items()} for row in cells))
    wrong = next((number for number, row in enumerate(cells, start=1) if not _is_pair(row)), 0)
    if wrong:
        raise InputError(
            f"row {wrong} is {_row(cells[wrong - 1])}; expected (item, text), or all rows as dicts with named columns"
        )
    classes = getattr(given, "classes", None)
    return Table(
        columns=(ITEM, TEXT),
        rows=lambda: ({ITEM: row[0], TEXT: row[1]} for row in cells),
        classes={TEXT: classes} if classes else {},
        bare=True,
    )


def _is_pair(row: Any) -> bool:
    return isinstance(row, tuple | list) and len(row) == 2


def _row(row: Any) -> str:
    return f"a {type(row).__name__} of {len(row)}" if isinstance(row, tuple | list) else described(row)
