"""Search with FAISS, exact or approximate; the extra `[index]`.

Sources: Douze et al. 2024, "The Faiss library", arXiv:2401.08281; `hnsw` by Malkov and Yashunin 2016, arXiv:1603.09320;
`ivf-pq` by Jégou et al. 2011, "Product quantization for nearest neighbor search", doi:10.1109/TPAMI.2010.57.
"""

from __future__ import annotations

import hashlib
from math import ceil, isqrt
from pathlib import Path
from typing import Any, Literal, TypeAlias

import numpy as np
from jaxtyping import Bool

from textanchor.collections.backends.protocol import NONE, Found, Rows, marked
from textanchor.collections.backends.stored import read_arrays, write_arrays
from textanchor.errors import DamagedError, InputError, MissingError
from textanchor.records import Vectors
from textanchor.settings import Count

Kind: TypeAlias = Literal["flat", "hnsw", "ivf", "ivf-sq8", "ivf-pq"]
CENTROIDS = 256  # of a byte of a product quantiser
CLASSES = {
    "flat": "IndexFlat",
    "hnsw": "IndexHNSWFlat",
    "ivf": "IndexIVFFlat",
    "ivf-sq8": "IndexIVFScalarQuantizer",
    "ivf-pq": "IndexIVFPQ",
}


class Faiss:
    """Inner products by FAISS: `flat` compares with all rows, `hnsw` walks a graph of `links` neighbours a row with `breadth`
    rows in view, `ivf` compares with the rows of the `probes` nearest of `lists` cells (default: the root of the number of rows
    that it is built with). `ivf-sq8` keeps a byte a number, `ivf-pq` `codes` bytes a vector after a random rotation; their
    scores are those of what is kept. Removed rows are passed over; their memory comes back when it is built anew.

    May be searched by several threads, but not while it is changed. Raises `MissingError` without FAISS.
    """

    def __init__(
        self,
        *,
        kind: Kind = "flat",
        lists: Count | None = None,
        probes: Count = 16,
        codes: Count = 48,
        links: Count = 32,
        breadth: Count = 128,
    ) -> None:
        self._faiss = _library()
        self._kind, self._lists, self._probes, self._codes, self._links, self._breadth = (
            kind,
            lists,
            probes,
            codes,
            links,
            breadth,
        )
        self._index: Any = None
        self._keep(np.empty(0, dtype=bool))
        self._ready: dict[int, Any] = {}  # parameters by k; making them takes as long as searching a thousand vectors

    @property
    def exact(self) -> bool:
        """Whether the best are always found."""
        return self._kind == "flat"

    @property
    def size(self) -> int:
        """Bytes of the whole index as FAISS writes it."""
        written: list[int] = []
        if self._index is not None:
            self._faiss.write_index(self._index, self._faiss.PyCallbackIOWriter(lambda some: written.append(len(some))))
        return sum(written)

    def __len__(self) -> int:
        return self._there

    def build(self, vectors: Vectors) -> None:
        """What has cells or codes learns them from these."""
        self._index = self._faiss.index_factory(vectors.shape[1], self._spelled(vectors), self._faiss.METRIC_INNER_PRODUCT)
        if not self._index.is_trained:
            self._train(vectors)
        self._keep(np.empty(0, dtype=bool))
        self.add(vectors)

    def add(self, vectors: Vectors) -> Rows:
        """More of them; gives their row numbers."""
        if self._index is None:
            self.build(vectors)
            return np.arange(len(vectors), dtype=np.int64)
        first = len(self._present)
        self._index.add(np.ascontiguousarray(vectors, dtype=np.float32))
        self._keep(np.concatenate([self._present, np.ones(len(vectors), dtype=bool)]))
        return np.arange(first, len(self._present), dtype=np.int64)

    def remove(self, rows: Rows) -> None:
        """Find these no more."""
        self._keep(self._present & ~marked(rows, len(self._present)))

    def top(self, queries: Vectors, k: int, allowed: Rows | None = None) -> Found:
        """Scores and rows of the k best, best first."""
        present, there = self._present, self._there
        if allowed is not None:
            present = present & marked(allowed, len(present))
            there = int(np.count_nonzero(present))
        count = min(k, there)
        if not count:
            return np.empty((len(queries), 0), dtype=np.float32), np.empty((len(queries), 0), dtype=np.int64)
        asked = np.ascontiguousarray(queries, dtype=np.float32)
        parameters = self._of_all(count) if there == len(present) else self._of_some(count, present)
        scores, rows = self._index.search(asked, count, params=parameters)
        missing = rows == NONE
        if missing.any():
            scores[missing] = -np.inf
        return scores, rows

    def save(self, file: Path) -> None:
        """As safetensors, FAISS's own bytes within. Raises `InputError` if nothing was built."""
        if self._index is None:
            raise InputError("the index is empty, so there is nothing to save; build it first")
        index = self._faiss.serialize_index(self._index)
        write_arrays(file, "faiss", {"index": index, "present": self._present, "sha256": _hash(index)})

    def load(self, file: Path) -> None:
        """Raises `DamagedError`. The hash finds damage, not malice: FAISS reads the bytes, so load what you trust."""
        arrays = read_arrays(file, "faiss", ("index", "present", "sha256"))
        raw, present = arrays["index"], arrays["present"]
        if not np.array_equal(arrays["sha256"], _hash(raw)):
            raise DamagedError(f"{file} is not a readable index (its bytes have changed); build it again")
        try:
            index = self._faiss.deserialize_index(raw)
        except RuntimeError:
            raise DamagedError(f"{file} is not a readable index (FAISS cannot read it); build it again") from None
        self._check(index, present, file)
        self._index = index
        self._keep(present)

    def _keep(self, present: Bool[np.ndarray, " n"]) -> None:
        """These rows can be found. Counted once, since that takes longer than a search in cells."""
        self._present, self._there = present, int(np.count_nonzero(present))

    def _check(self, index: Any, present: Bool[np.ndarray, " n"], file: Path) -> None:
        inner = self._faiss.downcast_index(index.index) if isinstance(index, self._faiss.IndexPreTransform) else index
        kind = type(inner).__name__.replace("IndexFlatIP", "IndexFlat")
        if kind != CLASSES[self._kind] or (inner is index) == (self._kind == "ivf-pq"):
            raise DamagedError(f"{file} holds a {kind}; expected an index of kind {self._kind}, so build it again")
        fits = present.dtype == bool and present.shape == (index.ntotal,) and inner.ntotal == index.ntotal and index.d > 0
        if not fits or inner.metric_type != self._faiss.METRIC_INNER_PRODUCT:
            raise DamagedError(f"{file} is not a readable index (its parts do not fit together); build it again")

    def _spelled(self, vectors: Vectors) -> str:
        """As FAISS's factory spells it; `np` goes without an optimisation of codes that only Hamming distances need."""
        lists = min(self._lists or isqrt(len(vectors)), len(vectors))
        rotated = self._codes * ceil(vectors.shape[1] / self._codes)
        return {
            "flat": "Flat",
            "hnsw": f"HNSW{self._links},Flat",
            "ivf": f"IVF{lists},Flat",
            "ivf-sq8": f"IVF{lists},SQ8",
            "ivf-pq": f"RR{rotated},IVF{lists},PQ{self._codes}x8np",
        }[self._kind]

    def _train(self, vectors: Vectors) -> None:
        """Few rows are no reason for a warning on stderr; fewer than a quantiser has centroids are repeated."""
        cells = self._faiss.downcast_index(self._faiss.extract_index_ivf(self._index))
        cells.cp.min_points_per_centroid = 1
        if self._kind == "ivf-pq":
            cells.pq.cp.min_points_per_centroid = 1
            vectors = vectors if len(vectors) >= CENTROIDS else np.resize(vectors, (CENTROIDS, vectors.shape[1]))
        self._index.train(np.ascontiguousarray(vectors, dtype=np.float32))

    def _of_all(self, count: int) -> Any:
        if (ready := self._ready.get(count)) is None:
            ready = self._ready[count] = self._parameters(count)
        return ready

    def _of_some(self, count: int, present: Bool[np.ndarray, " n"]) -> Any:
        return self._parameters(count, sel=self._faiss.IDSelectorBitmap(np.packbits(present, bitorder="little")))

    def _parameters(self, count: int, **wanted: Any) -> Any:
        if self._kind == "flat":
            return self._faiss.SearchParameters(**wanted)
        if self._kind == "hnsw":
            return self._faiss.SearchParametersHNSW(efSearch=max(self._breadth, count), **wanted)
        cells = self._faiss.SearchParametersIVF(nprobe=self._probes, **wanted)
        return self._faiss.SearchParametersPreTransform(index_params=cells) if self._kind == "ivf-pq" else cells


def _hash(raw: np.ndarray) -> np.ndarray:
    return np.frombuffer(hashlib.sha256(np.ascontiguousarray(raw).data).digest(), dtype=np.uint8)


def _library() -> Any:
    try:
        import faiss
    except ImportError:
        raise MissingError("FAISS is not installed; get it with: pip install 'textanchor[index]'") from None
    return faiss
