"""Exact search by matrix products."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float32

from textanchor.collections.backends.protocol import NONE, Found, Rows, marked
from textanchor.collections.backends.stored import read_arrays, write_arrays
from textanchor.errors import DamagedError, InputError
from textanchor.records import Vectors
from textanchor.settings import Count

AT_ONCE = 2**15  # rows: their products with a block of queries stay in the processor's caches
SPARSE = 4  # below a share of 1/4 the wanted vectors are gathered first
MERGED = 2**16  # rows; what is larger is not copied again when more is added


@dataclass(frozen=True, eq=False)
class _Held:
    """What is searched. Never changed, so that who searches sees the state before or after a change."""

    parts: tuple[Vectors, ...]
    present: Bool[np.ndarray, " n"]


class Exact:
    """All inner products; equal scores keep the order in which rows were added.

    `block` queries are compared at once. Arrays are searched where they lie, also in a file (`numpy.memmap`): nothing copies
    them, and removed rows take their place until it is built anew. May be searched by several threads while one changes it.
    """

    exact = True

    def __init__(self, *, block: Count = 64) -> None:
        self._block = block
        self._held = _Held((), np.empty(0, dtype=bool))

    def __len__(self) -> int:
        return int(np.count_nonzero(self._held.present))

    @property
    def size(self) -> int:
        """Bytes of the vectors."""
        return sum(part.nbytes for part in self._held.parts)

    def build(self, vectors: Vectors) -> None:
        """The array itself is kept, not a copy."""
        self._held = _Held((vectors,), np.ones(len(vectors), dtype=bool))

    def add(self, vectors: Vectors) -> Rows:
        """The arrays themselves are kept; what came in small pieces is put together now and then."""
        parts, first = [*self._held.parts, vectors], len(self._held.present)
        while len(parts) > 2 and len(parts[-2]) <= len(parts[-1]) and len(parts[-2]) < MERGED:  # the first is as it was given
            parts[-2:] = [np.concatenate(parts[-2:])]
        self._held = _Held(tuple(parts), np.concatenate([self._held.present, np.ones(len(vectors), dtype=bool)]))
        return np.arange(first, first + len(vectors), dtype=np.int64)

    def remove(self, rows: Rows) -> None:
        """Find these no more."""
        present = self._held.present
        self._held = _Held(self._held.parts, present & ~marked(rows, len(present)))

    def top(self, queries: Vectors, k: int, allowed: Rows | None = None) -> Found:
        """Scores and rows of the k best, best first."""
        held = self._held
        wanted = held.present if allowed is None else held.present & marked(allowed, len(held.present))
        count = min(k, int(np.count_nonzero(wanted)))
        scores = np.full((len(queries), count), -np.inf, dtype=np.float32)
        rows = np.full((len(queries), count), NONE, dtype=np.int64)
        for start in range(0, len(queries) if count else 0, self._block):
            some = slice(start, start + self._block)
            for first, part in _pieces(held.parts):
                _better(queries[some], part, wanted[first : first + len(part)], first, (scores[some], rows[some]))
        return scores, rows

    def save(self, file: Path) -> None:
        """As safetensors. Raises `InputError` if nothing was built."""
        parts = self._held.parts
        if not parts:
            raise InputError("the index is empty, so there is nothing to save; build it first")
        vectors = parts[0] if len(parts) == 1 else np.concatenate(parts)
        write_arrays(file, "exact", {"vectors": vectors, "present": self._held.present})

    def load(self, file: Path) -> None:
        """Raises `DamagedError`."""
        arrays = read_arrays(file, "exact", ("vectors", "present"))
        vectors, present = arrays["vectors"], arrays["present"]
        fits = vectors.ndim == 2 and vectors.dtype == np.float32 and present.dtype == bool
        if not fits or present.shape != vectors.shape[:1]:
            raise DamagedError(f"{file} is not a readable index (its arrays do not fit together); build it again")
        self._held = _Held((vectors,), present)


def _pieces(parts: tuple[Vectors, ...]) -> Iterator[tuple[int, Vectors]]:
    """At most `AT_ONCE` rows each, and the number of the first."""
    before = 0
    for part in parts:
        for start in range(0, len(part), AT_ONCE):
            yield before + start, part[start : start + AT_ONCE]
        before += len(part)


def _better(queries: Vectors, part: Vectors, wanted: Bool[np.ndarray, " n"], first: int, best: Found) -> None:
    """Put into `best` what is better than what stands there; of equal ones the earlier stays."""
    places, products = _products(queries, part, wanted)
    for scores, rows, row in zip(*best, products, strict=True):
        if scores[0] == -np.inf:  # nothing was found yet
            ahead = first_of_largest(row, min(len(scores), len(row)))
            ahead = ahead[row[ahead] > -np.inf]
            scores[: len(ahead)], rows[: len(ahead)] = row[ahead], first + (ahead if places is None else places[ahead])
        elif len(ahead := np.flatnonzero(row > scores[-1])):
            pool = np.concatenate([scores, row[ahead]])
            found = first_of_largest(pool, len(scores))
            rows[:] = np.concatenate([rows, first + (ahead if places is None else places[ahead])])[found]
            scores[:] = pool[found]


def _products(
    queries: Vectors, part: Vectors, wanted: Bool[np.ndarray, " n"]
) -> tuple[Rows | None, Float32[np.ndarray, "q n"]]:
    """Inner products with the wanted rows; places of the rows unless all are compared, and -inf where one is not wanted."""
    count = np.count_nonzero(wanted)
    if SPARSE * count < len(wanted):
        places = np.flatnonzero(wanted)
        return places, queries @ part[places].T
    products = queries @ part.T
    if count < len(wanted):
        products[:, ~wanted] = -np.inf
    return None, products


def first_of_largest(values: Float32[np.ndarray, " n"], count: int) -> Rows:
    """Places of the `count` largest values, largest first; of equal ones the first."""
    if count == 0:
        return np.empty(0, dtype=np.int64)
    smallest = np.partition(values, len(values) - count)[len(values) - count]
    candidates: Bool[np.ndarray, " n"] = values >= smallest  # with all that equal the last, so that the first of these stay
    places = np.flatnonzero(candidates)
    return places[np.argsort(-values[places], kind="stable")[:count]]
