"""What an index keeps vectors in: nearest neighbours by inner product."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol, TypeAlias, cast, runtime_checkable

import numpy as np
from jaxtyping import Float32, Int

from textanchor import registry
from textanchor.records import Vectors

Rows: TypeAlias = Int[np.ndarray, " n"]
"""Row numbers, int64."""
Found: TypeAlias = tuple[Float32[np.ndarray, "q k"], Int[np.ndarray, "q k"]]
"""Scores and rows of each query, best first."""
NONE = -1  # the row of a hit that was not found


@runtime_checkable
class Backend(Protocol):
    """Nearest neighbours by inner product, which is the cosine where vectors have length 1.

    Rows are numbered from 0 as they come; the number of a removed row is not given again.
    """

    @property
    def exact(self) -> bool:
        """Whether the best are always found."""

    def __len__(self) -> int:
        """Rows that can be found."""

    def build(self, vectors: Vectors) -> None:
        """Begin anew with these; at least one."""

    def add(self, vectors: Vectors) -> Rows:
        """More of them; gives their row numbers."""

    def remove(self, rows: Rows) -> None:
        """Find these no more; numbers that are not there are passed over."""

    def top(self, queries: Vectors, k: int, allowed: Rows | None = None) -> Found:
        """The k best of all rows, or of the `allowed` ones; fewer where there are fewer.

        One that is not exact may find less than there is: what is missing has the row -1 and the score -inf.
        """

    def save(self, file: Path) -> None:
        """Write everything, whole or not at all."""

    def load(self, file: Path) -> None:
        """Take the state that one of the same kind saved. Raises `DamagedError` for anything else."""


def make_backend(spec: str) -> Backend:
    """An empty one by name and settings, such as `exact` or `faiss(kind=hnsw, links=16)`.

    Raises `UnknownNameError`, `InputError`, or `MissingError` where a library is not installed.
    """
    return cast(Backend, registry.part("index", spec))
