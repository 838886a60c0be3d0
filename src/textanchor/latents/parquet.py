"""Vectors as a Parquet file, written a chunk at a time and whole or not at all."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from textanchor.files import new_file
from textanchor.records import Item


class VectorTable:
    """Columns `item`, `modality`, `path`, `content` (sha256 of the raw bytes) and `vector`, or `tokens` of ragged latents."""

    def __init__(self, path: Path, *, dim: int, ragged: bool, facts: Mapping[str, str]) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        vector = pa.list_(pa.float16() if ragged else pa.float32(), dim)
        names = [("item", pa.string()), ("modality", pa.string()), ("path", pa.string()), ("content", pa.string())]
        last = ("tokens", pa.list_(vector)) if ragged else ("vector", vector)
        self._schema = pa.schema([*names, last], metadata={f"textanchor.{key}": value for key, value in facts.items()})
        self._ragged = ragged
        self._writer = pq.ParquetWriter(path, self._schema, compression="zstd")
        self.rows = 0

    def add(self, items: Sequence[Item], contents: Sequence[str], values: Any) -> None:
        """Vectors [n, dim], or an array [n_i, dim] an item."""
        import pyarrow as pa

        if not items:
            return
        kind = self._schema.field(4).type
        if self._ragged:
            offsets = np.concatenate([[0], np.cumsum([len(tokens) for tokens in values])]).astype(np.int32)
            flat = pa.array(np.concatenate(values).ravel().astype(np.float16))
            column = pa.ListArray.from_arrays(pa.array(offsets), pa.FixedSizeListArray.from_arrays(flat, type=kind.value_type))
        else:
            column = pa.FixedSizeListArray.from_arrays(pa.array(np.ascontiguousarray(values).ravel()), type=kind)
        columns: list[Any] = [
            pa.array([item.id for item in items]),
            pa.array([item.modality for item in items]),
            pa.array([str(item.path) if item.path else None for item in items], type=pa.string()),
            pa.array(list(contents)),
            column,
        ]
        self._writer.write_batch(pa.record_batch(columns, schema=self._schema))
        self.rows += len(items)

    def close(self) -> None:
        """Write the end of the file."""
        self._writer.close()


@contextmanager
def vector_table(
    path: Path, *, dim: int, ragged: bool = False, overwrite: bool = False, facts: Mapping[str, str]
) -> Iterator[VectorTable]:
    """A table that replaces `path` when it is complete."""
    with new_file(path, overwrite=overwrite) as temporary:
        table = VectorTable(temporary, dim=dim, ragged=ragged, facts=facts)
        try:
            yield table
        finally:
            table.close()
