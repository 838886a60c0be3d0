"""Rows of CSV, JSONL and Parquet files as plain dicts of strings, with their line numbers."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Iterator
from pathlib import Path

from textanchor.errors import InputError

ENDINGS = (".csv", ".tsv", ".jsonl", ".ndjson", ".parquet")
MORE = "\0more"  # the key of cells beyond the last column
Row = dict[str, str]


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


def _jsonl(path: Path) -> Iterator[tuple[int, Row]]:
    with path.open(encoding="utf-8-sig") as stream:
        for number, line in enumerate(stream, start=1):
            if line.strip():
                value = json.loads(line)
                if not isinstance(value, dict):
                    raise ValueError(f"line {number} is not a JSON object")
                yield number, {str(key): _text(cell) for key, cell in value.items()}


def _parquet(path: Path) -> Iterator[tuple[int, Row]]:
    import pyarrow.parquet as pq

    with pq.ParquetFile(path) as table:
        number = 0
        for batch in table.iter_batches(batch_size=4096):
            for row in batch.to_pylist():
                number += 1
                yield number, {key: _text(cell) for key, cell in row.items()}


def rows(path: Path) -> list[tuple[int, Row]]:
    """All rows with their line (Parquet: row) numbers. Raises `InputError` if the file is not such a table."""
    read = {".csv": _csv, ".tsv": _csv, ".jsonl": _jsonl, ".ndjson": _jsonl, ".parquet": _parquet}.get(path.suffix.lower())
    if read is None:
        raise InputError(f"{path} is no table; expected one of {', '.join(ENDINGS)} or a folder")
    try:
        return list(read(path))
    except UnicodeDecodeError as why:
        raise InputError(f"{path} is not UTF-8 text (byte {why.start}); save it as UTF-8") from None
    except (OSError, ValueError, csv.Error) as why:  # pyarrow's errors are ValueErrors or OSErrors
        raise InputError(f"{path} is not a readable {path.suffix[1:]} table: {' '.join(str(why).split())}") from None
