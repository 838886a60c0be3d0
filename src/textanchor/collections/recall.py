"""A recall card: what each index finds of the true neighbours of the user's own queries, and what it costs.

Queries in text are out of the distribution of an index of images, and figures of items that ask for items say nothing of them.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from math import inf
from pathlib import Path

import numpy as np

from textanchor.collections.backends import NONE, Backend, Found, Sized, make_backend, without_password
from textanchor.collections.searching import indexed
from textanchor.errors import InputError
from textanchor.records import Vectors
from textanchor.runtime import Reading, Runtime
from textanchor.space import TEXT, Space
from textanchor.space.texts import embed_texts

K = 10
DEFAULT = ("exact", "faiss(kind=hnsw)", "faiss(kind=ivf)", "faiss(kind=ivf-sq8)", "faiss(kind=ivf-pq)")
TIMED = 200  # searches of one query at least, so that the slowest hundredth is more than one of them
EQUAL = 1e-5  # scores that differ by less are those of one neighbour found by another order of adding up
_RESIDENT = Path("/proc/self/statm")


@dataclass(frozen=True, kw_only=True)
class RecallRow:
    """One index: the share of the true ten nearest that it finds, milliseconds of one query (the median and what 99 of 100 stay
    below), bytes, seconds to build.

    `memory` is the index's own size wherever it lies where `measured` is "index", the growth of this process where it is
    "process", and None where neither is known.
    """

    index: str
    recall: float
    p50: float
    p99: float
    memory: int | None
    measured: str
    build: float

    @property
    def cost(self) -> float:
        """Median milliseconds times bytes: half the time is worth twice the memory."""
        return self.p50 * (inf if self.memory is None else self.memory)


@dataclass(frozen=True, kw_only=True)
class RecallCard:
    """Rows of indexes over the same `items` of a modality, asked the same `queries`, compared by the `k` nearest."""

    rows: tuple[RecallRow, ...]
    modality: str
    items: int
    queries: int
    k: int

    def cheapest(self, recall: float) -> RecallRow:
        """See `cheapest`."""
        return cheapest(self.rows, recall)


def recall_card(
    space: Space,
    collection: object,
    queries: Sequence[str],
    *,
    backends: Sequence[str] = DEFAULT,
    modality: str | None = None,
    reading: Reading | None = None,
    runtime: Runtime | None = None,
) -> RecallCard:
    """Measure indexes of one modality of a collection (whatever `search` takes) on the user's own sentences.

    Raises `InputError` without a query, or for several modalities of which none is named; `MissingError` for an index whose
    library is not installed, before any work.
    """
    for spec in backends:
        make_backend(spec)
    texts = list(dict.fromkeys(text for text in queries if text.strip()))
    if not texts:
        raise InputError("there is no query; give sentences as your users ask them")
    held = indexed(space, collection, modality=modality, reading=reading, runtime=runtime)
    asked = _modality(held.modalities, modality)
    comparison = held.geometry.between(TEXT, asked)
    gallery = np.ascontiguousarray(held.holding.gallery(comparison)[held.holding.filled(asked)])
    rows = measured(gallery, comparison.query(embed_texts(space, texts, runtime=runtime)), backends)
    return RecallCard(rows=rows, modality=asked, items=len(gallery), queries=len(texts), k=min(K, len(gallery)))


def measured(gallery: Vectors, queries: Vectors, backends: Sequence[str]) -> tuple[RecallRow, ...]:
    """A row an index, of vectors as they are compared. *Shape:* [n, d], [q, d]."""
    exact = make_backend("exact")
    exact.build(gallery)
    least = exact.top(queries, min(K, len(gallery)))[0][:, -1] - EQUAL
    return tuple(_row(spec, gallery, queries, least) for spec in backends)


def cheapest(rows: Sequence[RecallRow], recall: float) -> RecallRow:
    """The index of smallest `cost` among those that reach the recall. Raises `InputError` with the best, if none does."""
    reaching = [row for row in rows if row.recall >= recall]
    if not reaching:
        best = max(rows, key=lambda row: row.recall)
        told = f"no index reaches a recall of {recall:g}; the best, {best.index}, reaches {best.recall:.3f}"
        raise InputError(f"{told}; ask for less, or measure exact or one with more in view, such as faiss(kind=ivf, probes=64)")
    return min(reaching, key=lambda row: (row.cost, row.p50))


def _modality(there: Sequence[str], named: str | None) -> str:
    if named is None and len(there) > 1:
        raise InputError(f"the collection holds {', '.join(there)}; an index holds one, so name it")
    if named is not None and named not in there:
        raise InputError(f"the collection holds no {named} (it holds: {', '.join(there)})")
    return named or there[0]


def _row(spec: str, gallery: Vectors, queries: Vectors, least: np.ndarray) -> RecallRow:
    before, start = _resident(), time.perf_counter()
    backend = make_backend(spec)
    backend.build(gallery)
    build = time.perf_counter() - start
    k = min(K, len(gallery))
    found = backend.top(queries, k)
    taken = _timed(backend, queries, k)
    sized = isinstance(backend, Sized)
    memory = backend.size if isinstance(backend, Sized) else _grown(before)
    return RecallRow(
        index=without_password(spec),
        recall=_recall(found, gallery, queries, least),
        p50=float(np.percentile(taken, 50)),
        p99=float(np.percentile(taken, 99)),
        memory=memory,
        measured="index" if sized else "" if memory is None else "process",
        build=build,
    )


def _recall(found: Found, gallery: Vectors, queries: Vectors, least: np.ndarray) -> float:
    """Share of hits whose true score is at least that of the last of the true neighbours, so that equal items count alike."""
    rows = found[1]
    true = np.einsum("qkd,qd->qk", gallery[rows], queries)
    return float(np.mean((rows != NONE) & (true >= least[:, None])))


def _timed(backend: Backend, queries: Vectors, k: int) -> list[float]:
    """Milliseconds of single queries, each as often as makes `TIMED` of them, after one to warm up."""
    backend.top(queries[:1], k)
    taken = []
    for turn in range(max(TIMED, len(queries))):
        query = queries[turn % len(queries)][None]
        start = time.perf_counter()
        backend.top(query, k)
        taken.append(1e3 * (time.perf_counter() - start))
    return taken


def _resident() -> int | None:
    """Bytes of memory that the process holds, where the system says so."""
    if not _RESIDENT.exists():
        return None
    import resource

    return int(_RESIDENT.read_text().split()[1]) * resource.getpagesize()


def _grown(before: int | None) -> int | None:
    now = _resident()
    return None if before is None or now is None else max(now - before, 0)
