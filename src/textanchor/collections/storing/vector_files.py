"""Vectors of one store in one file of float32 rows, to which rows are only ever added.

How many of them count stands in the catalogue, so what was written before a crash and never committed is written over. A
reader maps the rows that counted when it began, whatever is added meanwhile.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np

from textanchor.errors import DamagedError
from textanchor.records import Vectors

BLOCK = 4096  # rows a checksum
WIDTH = 4  # bytes of a number


def mapped(file: Path, rows: int, dim: int) -> Vectors:
    """The first rows, mapped and not read. *Shape:* [rows, dim]. Raises `DamagedError` if there are fewer."""
    if not rows:
        return np.empty((0, dim), dtype=np.float32)
    try:
        short = file.stat().st_size < rows * dim * WIDTH
    except FileNotFoundError:
        raise DamagedError(f"{file} is missing; encode its items again: textanchor collection verify --repair") from None
    if short:
        raise DamagedError(f"{file} is shorter than its {rows} rows; mend it: textanchor collection verify --repair")
    return np.memmap(file, dtype=np.float32, mode="r", shape=(rows, dim))


class Appending:
    """Rows that follow the first `rows` of a file; nobody else may write to it meanwhile. `close` puts them on disk."""

    def __init__(self, file: Path, *, rows: int, dim: int) -> None:
        self.rows, self._dim = rows, dim
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
        self._stream = file.open("r+b")
        self._stream.seek(rows * dim * WIDTH)

    def add(self, vectors: Vectors) -> range:
        """The rows at which they stand. Raises `OSError` where the disk is full."""
        self._stream.write(np.ascontiguousarray(vectors, dtype="<f4").tobytes())
        first, self.rows = self.rows, self.rows + len(vectors)
        return range(first, self.rows)

    def close(self) -> None:
        """Cut off what a crash may have left behind the last row, and wait for the disk."""
        with self._stream as stream:
            stream.truncate(self.rows * self._dim * WIDTH)
            stream.flush()
            os.fsync(stream.fileno())

    def abandon(self) -> None:
        """Leave what was written; the catalogue does not count it."""
        with suppress(OSError):
            self._stream.close()


def checksums(vectors: Vectors, *, first: int = 0) -> Iterator[tuple[int, str]]:
    """The number and sha256 of every block from that of the row `first` on."""
    for block in range(first // BLOCK, -(-len(vectors) // BLOCK)):
        rows = np.ascontiguousarray(vectors[block * BLOCK : (block + 1) * BLOCK])
        yield block, hashlib.sha256(rows.tobytes()).hexdigest()
