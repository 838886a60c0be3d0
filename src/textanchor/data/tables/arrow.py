"""Parquet and Arrow files, with what Hugging Face says of their columns: names of classes, and files within cells."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from threading import Lock
from typing import Any

from textanchor.data.tables.cells import Embedded, Row
from textanchor.data.tables.columns import unique
from textanchor.escaping import openable

BATCH = 4096
_MODALITIES = {"Image": "image", "Audio": "audio", "Video": "video"}
_BYTES, _PATH = "bytes", "path"
_turn = Lock()  # one row group is read at a time, however many threads ask for its cells


@dataclass(frozen=True, kw_only=True, slots=True)
class Cell:
    """The bytes of one cell, read when they are asked for; `place` are the column and, in a structure, the field."""

    file: Path
    group: int
    row: int
    place: tuple[str, ...]

    def read(self) -> bytes:
        """The bytes. Raises `ValueError` where the cell is empty."""
        told = self.file.stat()
        with _turn:
            column = _column(self.file, told.st_size, told.st_mtime_ns, self.group, self.place)
            value = column[self.row].as_py()
        if not isinstance(value, bytes):
            raise ValueError("the cell holds no bytes")
        return value


def parquet_names(path: Path) -> tuple[str, ...]:
    """The columns; one whose name stood before is told apart."""
    import pyarrow.parquet as pq

    with openable(path) as name:
        return tuple(unique(pq.read_schema(name).names))


def arrow_names(path: Path) -> tuple[str, ...]:
    """The columns of an Arrow file or stream."""
    return tuple(unique(_arrow(path).schema.names))


def parquet_holding(path: Path) -> Mapping[str, str]:
    """Columns whose cells hold bytes of items, with their modality as far as Hugging Face's description says one, or ""."""
    import pyarrow.parquet as pq

    with openable(path) as name:
        return _holding(pq.read_schema(name))


def arrow_holding(path: Path) -> Mapping[str, str]:
    """As `parquet_holding`."""
    return _holding(_arrow(path).schema)


def parquet_rows(path: Path) -> Iterator[tuple[int, Row]]:
    """Rows of Python values; bytes are not read, classes are called by their names."""
    import pyarrow.parquet as pq

    with openable(path) as name, pq.ParquetFile(name) as table:
        schema = table.schema_arrow
        places = _places(schema)
        light = [leaf for name in schema.names for leaf in _light(schema, name)] if places else None
        number = 0
        for group in range(table.num_row_groups):
            filled = {name: _filled(table, group, place) for name, place in places.items()}
            start = number
            for batch in table.iter_batches(batch_size=BATCH, row_groups=[group], columns=light):
                columns = dict(zip(batch.schema.names if places else unique(batch.schema.names), batch.columns, strict=True))
                for row in _named(columns, schema, batch.num_rows):
                    cell = {name: _cell(path, group, number - start, place, filled[name]) for name, place in places.items()}
                    yield number + 1, _with_cells(row, cell)
                    number += 1


def arrow_rows(path: Path) -> Iterator[tuple[int, Row]]:
    """As `parquet_rows`; the file is mapped into memory and not read as a whole."""
    table = _arrow(path)
    places = _places(table.schema)
    number = 0
    for batch in table.to_batches(max_chunksize=BATCH):
        keys = unique(batch.schema.names)
        valid = {name: _leaf(batch.column(place[0]), place).is_valid() for name, place in places.items()}
        columns = {key: column for key, column in zip(keys, batch.columns, strict=True) if key not in places}
        columns |= {name: _leaf(batch.column(name), (name, _PATH)) for name in places if _has_path(batch.schema, name)}
        for row, values in enumerate(_named(columns, table.schema, batch.num_rows)):
            cell = {name: _cell(path, -1, number, place, valid[name][row].as_py()) for name, place in places.items()}
            yield number + 1, _with_cells(values, cell)
            number += 1


def _arrow(path: Path) -> Any:
    import pyarrow as pa

    with openable(path) as name:
        source = pa.memory_map(name)
    try:
        return pa.ipc.open_file(source).read_all()
    except pa.ArrowInvalid:
        source.seek(0)
        return pa.ipc.open_stream(source).read_all()


def _features(schema: Any) -> Mapping[str, Any]:
    """Hugging Face's description of the columns, if there is a sound one."""
    try:
        told = json.loads((schema.metadata or {}).get(b"huggingface", b"{}"))["info"]["features"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return {}
    return told if isinstance(told, dict) else {}


def _holding(schema: Any) -> dict[str, str]:
    features = _features(schema)
    kinds = {name: told.get("_type", "") for name, told in features.items() if isinstance(told, dict)}
    return {name: _MODALITIES.get(kinds.get(name, ""), "") for name in _places(schema)}


def _places(schema: Any) -> dict[str, tuple[str, ...]]:
    """Where the bytes are in each column that holds some: in the cell, or in the field `bytes` of its structure."""
    found: dict[str, tuple[str, ...]] = {}
    for name in dict.fromkeys(schema.names):
        if "." in name or schema.names.count(name) > 1:
            continue
        type_ = schema.field(name).type
        if _is_binary(type_):
            found[name] = (name,)
        elif _is_struct(type_) and (place := type_.get_field_index(_BYTES)) >= 0 and _is_binary(type_.field(place).type):
            found[name] = (name, _BYTES)
    return found


def _is_binary(type_: Any) -> bool:
    return str(type_) in ("binary", "large_binary", "binary_view") or str(type_).startswith("fixed_size_binary")


def _is_struct(type_: Any) -> bool:
    return str(type_).startswith("struct<")


def _has_path(schema: Any, name: str) -> bool:
    type_ = schema.field(name).type
    return bool(_is_struct(type_) and type_.get_field_index(_PATH) >= 0)


def _light(schema: Any, name: str) -> list[str]:
    """What is read of a column row by row: all but its bytes."""
    if name not in _places(schema):
        return [name]
    return [f"{name}.{_PATH}"] if _has_path(schema, name) else []


def _filled(table: Any, group: int, place: tuple[str, ...]) -> Sequence[bool]:
    """Which cells of a row group hold bytes: by its statistics, or by a look."""
    told = table.metadata.row_group(group)
    leaf = next(told.column(k) for k in range(told.num_columns) if told.column(k).path_in_schema == ".".join(place))
    empty = leaf.statistics.null_count if leaf.statistics is not None and leaf.statistics.has_null_count else None
    if empty in (0, told.num_rows):
        return [empty == 0] * told.num_rows
    held = table.read_row_group(group, columns=[".".join(place)]).column(place[0])
    return [valid for chunk in held.chunks for valid in _leaf(chunk, place).is_valid().to_pylist()]


def _leaf(column: Any, place: tuple[str, ...]) -> Any:
    """A field of a structure, empty where the structure is."""
    import pyarrow.compute as pc

    return pc.struct_field(column, place[1:]) if len(place) > 1 else column


def _named(columns: Mapping[str, Any], schema: Any, count: int) -> Iterator[dict[str, Any]]:
    """Rows of Python values, classes by name."""
    features = _features(schema)
    values = {name: _classes(column.to_pylist(), features.get(name)) for name, column in columns.items()}
    for row in range(count):
        yield {name: column[row] for name, column in values.items()}


def _classes(values: list[Any], feature: Any) -> list[Any]:
    """Numbers of classes as their names, in words; a class below 0 is none."""
    if isinstance(feature, list) and feature:
        feature = {"feature": feature[0]}
    inner = feature.get("feature") if isinstance(feature, dict) else None
    if inner is not None:
        return [_classes(value, inner) if isinstance(value, list) else value for value in values]
    names = feature.get("names") if isinstance(feature, dict) and feature.get("_type") == "ClassLabel" else None
    if not isinstance(names, list):
        return values
    words = [str(name).replace("_", " ").replace("-", " ") for name in names]
    return [(words[value] if 0 <= value < len(words) else None) if isinstance(value, int) else value for value in values]


def _cell(path: Path, group: int, row: int, place: tuple[str, ...], filled: Any) -> Cell | None:
    told = filled[row] if isinstance(filled, list) else filled
    return Cell(file=path, group=group, row=row, place=place) if told else None


def _with_cells(row: dict[str, Any], cells: Mapping[str, Cell | None]) -> dict[str, Any]:
    """A row with its files: what is read of their columns is their names."""
    for name, held in cells.items():
        told = row.get(name)
        place = told.get(_PATH) if isinstance(told, dict) else told
        place = place if isinstance(place, str) else ""
        row[name] = Embedded(held=held, place=place) if held is not None or place else None
    return row


@lru_cache(maxsize=4)
def _column(file: Path, _size: int, _changed: int, group: int, place: tuple[str, ...]) -> Any:
    import pyarrow.parquet as pq

    if group < 0:
        column = _arrow(file).column(place[0])
    else:
        with openable(file) as name, pq.ParquetFile(name) as table:
            column = table.read_row_group(group, columns=[".".join(place)]).column(place[0])
    return _leaf(column, place)
