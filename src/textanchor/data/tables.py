"""Rows of CSV, JSONL and Parquet files as plain dicts of strings, one by one, with their line numbers."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from textanchor.errors import InputError

ENDINGS = (".csv", ".tsv", ".jsonl", ".ndjson", ".parquet")
MORE = "\0more"  # the key of cells beyond the last column
Row = dict[str, str]


def rows(path: Path) -> Iterator[tuple[int, Row]]:
    """All rows with their line (Parquet: row) numbers; no more of a table is in memory than a row, or 4096 of a Parquet file.

    Raises `InputError` where the file turns out to be no such table.
    """
    read = _format(path)[0]
    with _refused(path):
        yield from read(path)


def columns(path: Path) -> tuple[str, ...]:
    """The names of all columns, in order of first appearance. A JSONL file is read through for them: its rows may differ.

    Raises `InputError` if the file is not such a table.
    """
    named = _format(path)[1]
    with _refused(path):
        return named(path)


def _text(value: object) -> str:
    missing = value is None or (isinstance(value, float) and math.isnan(value))
    return "" if missing else str(value).strip()


def _csv(path: Path) -> Iterator[tuple[int, Row]]:
    csv.field_size_limit(1 << 24)
    with path.open(encoding="utf-8-sig", newline="") as stream:
        header = stream.readline()
        stream.seek(0)
        mark = max(",;\t", key=header.count)  # the comma wins where none is there
        table = csv.DictReader(stream, delimiter=mark, strict=True)
        for row in table:
            yield table.line_num, {MORE if key is None else str(key).strip(): _text(value) for key, value in row.items()}


def _csv_columns(path: Path) -> tuple[str, ...]:
    _, first = next(_csv(path), (0, {}))
    return tuple(name for name in first if name != MORE)


def _jsonl(path: Path) -> Iterator[tuple[int, Row]]:
    with path.open(encoding="utf-8-sig") as stream:
        for number, line in enumerate(stream, start=1):
            if line.strip():
                value = json.loads(line)
                if not isinstance(value, dict):
                    raise ValueError(f"line {number} is not a JSON object")
                yield number, {str(key): _text(cell) for key, cell in value.items()}


def _jsonl_columns(path: Path) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for _, row in _jsonl(path) for name in row))


def _parquet(path: Path) -> Iterator[tuple[int, Row]]:
    import pyarrow.parquet as pq

    with pq.ParquetFile(path) as table:
        number = 0
        for batch in table.iter_batches(batch_size=4096):
            for row in batch.to_pylist():
                number += 1
                yield number, {key: _text(cell) for key, cell in row.items()}


def _parquet_columns(path: Path) -> tuple[str, ...]:
    import pyarrow.parquet as pq

    return tuple(pq.read_schema(path).names)


_Reading = tuple[Callable[[Path], Iterator[tuple[int, Row]]], Callable[[Path], tuple[str, ...]]]
_FORMATS: dict[str, _Reading] = {
    ".csv": (_csv, _csv_columns),
    ".tsv": (_csv, _csv_columns),
    ".jsonl": (_jsonl, _jsonl_columns),
    ".ndjson": (_jsonl, _jsonl_columns),
    ".parquet": (_parquet, _parquet_columns),
}


def _format(path: Path) -> _Reading:
    if path.suffix.lower() not in _FORMATS:
        raise InputError(f"{path} is no table; expected one of {', '.join(ENDINGS)} or a folder")
    return _FORMATS[path.suffix.lower()]


@contextmanager
def _refused(path: Path) -> Iterator[None]:
    try:
        yield
    except UnicodeDecodeError as why:
        raise InputError(f"{path} is not UTF-8 text (byte {why.start}); save it as UTF-8") from None
    except (OSError, ValueError, csv.Error) as why:  # pyarrow's errors are ValueErrors or OSErrors
        raise InputError(f"{path} is not a readable {path.suffix[1:]} table: {' '.join(str(why).split())}") from None
