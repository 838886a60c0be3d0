"""Vectors as a Parquet file, written a chunk at a time and whole or not at all."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from textanchor.escaping import shown, writable
from textanchor.files import new_file
from textanchor.records import Item, Latents, Pooled, Ragged

log = logging.getLogger(__name__)


class VectorTable:
    """Columns `item`, `modality`, `path`, `content` (sha256 of the raw bytes) and `vector`, or `tokens` of ragged latents.

    A path is relative to the table for what lies in its folder, which may be moved with it, and absolute for all else.
    """

    def __init__(self, path: Path, stream: BinaryIO, *, dim: int, ragged: bool, facts: Mapping[str, str]) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        row = pa.list_(pa.float16() if ragged else pa.float32(), dim)
        names = [(name, pa.string()) for name in ("item", "modality", "path", "content")]
        values = ("tokens", pa.list_(row)) if ragged else ("vector", row)
        told = {f"textanchor.{key}": writable(value) for key, value in facts.items()}
        self._schema = pa.schema([*names, values], metadata=told)
        self._writer = pq.ParquetWriter(stream, self._schema, compression="zstd")
        self._folder = path.absolute().parent
        self._escaped = list[str]()
        self.rows = 0

    def add(self, items: Sequence[Item], latents: Latents) -> None:
        """One row an item."""
        import pyarrow as pa

        if not items:
            return
        columns: list[Any] = [
            pa.array([item.id for item in items]),
            pa.array([item.modality for item in items]),
            pa.array([self._place(item.path) if item.path else None for item in items], type=pa.string()),
            pa.array(list(latents.contents)),
            self._tokens(latents) if isinstance(latents, Ragged) else self._vectors(latents),
        ]
        self._writer.write_batch(pa.record_batch(columns, schema=self._schema))
        self.rows += len(items)

    def close(self) -> None:
        """Write the end of the file, and say which names it cannot hold."""
        self._writer.close()
        if self._escaped:
            count, first = len(self._escaped), shown(self._escaped[0])
            log.warning("%d file names are no UTF-8 and stand escaped in the column `path`, such as %s", count, first)

    def _place(self, path: Path) -> str:
        whole = Path(os.path.abspath(path))  # noqa: PTH100 - links are not followed, `..` is taken out
        told = str(whole.relative_to(self._folder) if whole.is_relative_to(self._folder) else whole)
        if (name := writable(told)) != told:
            self._escaped.append(name)
        return name

    def _vectors(self, latents: Pooled) -> Any:
        import pyarrow as pa

        flat = pa.array(np.ascontiguousarray(latents.vectors).ravel())
        return pa.FixedSizeListArray.from_arrays(flat, type=self._schema.field(4).type)

    def _tokens(self, latents: Ragged) -> Any:
        import pyarrow as pa

        flat = pa.array(latents.tokens.ravel().astype(np.float16))
        rows = pa.FixedSizeListArray.from_arrays(flat, type=self._schema.field(4).type.value_type)
        return pa.ListArray.from_arrays(pa.array(latents.offsets.astype(np.int32)), rows)


@contextmanager
def vector_table(
    path: Path, *, dim: int, ragged: bool = False, overwrite: bool = False, facts: Mapping[str, str]
) -> Iterator[VectorTable]:
    """A table that replaces `path` when it is complete."""
    with new_file(path, overwrite=overwrite) as temporary, temporary.open("wb") as stream:
        table = VectorTable(path, stream, dim=dim, ragged=ragged, facts=facts)
        try:
            yield table
        finally:
            table.close()
