"""What an index keeps vectors in: nearest neighbours by inner product."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol, TypeAlias, cast, runtime_checkable

import numpy as np
from jaxtyping import Bool, Float32, Int

from textanchor import registry
from textanchor.collections.backends.urls import as_call, without_password
from textanchor.errors import InputError
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


@runtime_checkable
class Sized(Protocol):
    """A backend that knows what it takes."""

    @property
    def size(self) -> int:
        """Bytes of vectors and of what finds them, wherever they lie."""


def make_backend(spec: str) -> Backend:
    """An empty one by name and settings, such as `exact` or `faiss(kind=hnsw, links=16)`, or by the URL of a database.

    Raises `UnknownNameError`, `InputError`, or `MissingError` where a library is not installed; none of them shows a password.
    """
    try:
        return cast(Backend, registry.part("index", as_call(spec)))
    except InputError as why:
        raise type(why)(without_password(str(why))) from None


def marked(rows: Rows, count: int) -> Bool[np.ndarray, " n"]:
    """A mask of `count` rows in which these are True; numbers that are not there are passed over."""
    mask = np.zeros(count, dtype=bool)
    mask[rows[(rows >= 0) & (rows < count)]] = True
    return mask


def padded(hits: Sequence[Sequence[tuple[int, float]]], count: int) -> Found:
    """Row and score of each query's hits as arrays, best first, `count` wide; of equal scores the earlier row."""
    scores = np.full((len(hits), count), -np.inf, dtype=np.float32)
    rows = np.full((len(hits), count), NONE, dtype=np.int64)
    for query, own in enumerate(hits):
        for place, (row, score) in enumerate(sorted(own, key=lambda hit: (-hit[1], hit[0]))[:count]):
            scores[query, place], rows[query, place] = score, row
    return scores, rows
