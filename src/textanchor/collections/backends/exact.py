"""Exact search by one matrix product."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float32

from textanchor.collections.backends.protocol import Found, Rows
from textanchor.collections.backends.stored import read_arrays, write_arrays
from textanchor.records import Vectors
from textanchor.settings import Count

SPARSE = 4  # below a share of 1/4 the allowed vectors are gathered first


class Exact:
    """All inner products; equal scores keep the order in which rows were added.

    `block` queries are compared at once, so that memory is `block` times the number of rows.
    """

    exact = True

    def __init__(self, *, block: Count = 64) -> None:
        self._block = block
        self._vectors: Vectors = np.empty((0, 0), dtype=np.float32)
        self._rows: Rows = np.empty(0, dtype=np.int64)
        self._next = 0

    def __len__(self) -> int:
        return len(self._rows)

    def build(self, vectors: Vectors) -> None:
        """The array itself is kept, not a copy."""
        self._vectors, self._next = vectors, len(vectors)
        self._rows = np.arange(len(vectors), dtype=np.int64)

    def add(self, vectors: Vectors) -> Rows:
        """Copies all vectors once."""
        new = np.arange(self._next, self._next + len(vectors), dtype=np.int64)
        self._vectors = np.concatenate([self._vectors, vectors]) if len(self._vectors) else vectors
        self._rows = np.concatenate([self._rows, new])
        self._next += len(vectors)
        return new

    def remove(self, rows: Rows) -> None:
        """Copies what remains."""
        kept = ~np.isin(self._rows, rows)
        self._vectors, self._rows = self._vectors[kept], self._rows[kept]

    def top(self, queries: Vectors, k: int, allowed: Rows | None = None) -> Found:
        """Scores and rows of the k best, best first."""
        places = None if allowed is None else np.flatnonzero(np.isin(self._rows, allowed))
        rows = self._rows if places is None else self._rows[places]
        count = min(k, len(rows))
        scores = np.empty((len(queries), count), dtype=np.float32)
        best = np.empty((len(queries), count), dtype=np.int64)
        for start in range(0, len(queries), self._block):
            products = self._products(queries[start : start + self._block], places)
            for query, row in enumerate(products, start=start):
                found = first_of_largest(row, count)
                scores[query], best[query] = row[found], rows[found]
        return scores, best

    def save(self, file: Path) -> None:
        """As safetensors."""
        write_arrays(file, "exact", {"vectors": self._vectors, "rows": self._rows, "next": np.array([self._next])})

    def load(self, file: Path) -> None:
        """Raises `DamagedError`."""
        arrays = read_arrays(file, "exact", ("vectors", "rows", "next"))
        self._vectors, self._rows, self._next = arrays["vectors"], arrays["rows"], int(arrays["next"][0])

    def _products(self, queries: Vectors, places: Rows | None) -> Float32[np.ndarray, "q n"]:
        if places is None:
            return queries @ self._vectors.T
        if SPARSE * len(places) < len(self._rows):
            return queries @ self._vectors[places].T
        return (queries @ self._vectors.T)[:, places]


def first_of_largest(values: Float32[np.ndarray, " n"], count: int) -> Rows:
    """Places of the `count` largest values, largest first; of equal ones the first."""
    if count == 0:
        return np.empty(0, dtype=np.int64)
    smallest = np.partition(values, len(values) - count)[len(values) - count]
    candidates: Bool[np.ndarray, " n"] = values >= smallest  # with all that equal the last, so that the first of these stay
    places = np.flatnonzero(candidates)
    return places[np.argsort(-values[places], kind="stable")[:count]]
