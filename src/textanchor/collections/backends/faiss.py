"""Search with FAISS, exact or approximate; the extra `[faiss]`.

Source: Douze et al. 2024, "The Faiss library", arXiv:2401.08281; `hnsw` by Malkov and Yashunin 2016, arXiv:1603.09320.
"""

from __future__ import annotations

from math import isqrt
from pathlib import Path
from typing import Any, Literal, TypeAlias

import numpy as np
from jaxtyping import Bool

from textanchor.collections.backends.protocol import NONE, Found, Rows
from textanchor.collections.backends.stored import read_arrays, write_arrays
from textanchor.errors import MissingError
from textanchor.records import Vectors
from textanchor.settings import Count

Kind: TypeAlias = Literal["flat", "ivf", "hnsw"]


class Faiss:
    """Inner products by FAISS: `flat` compares with all rows, `ivf` with the rows of the `probes` nearest of `lists` cells
    (default: the root of the number of rows that it is built with), `hnsw` walks a graph of `links` neighbours a row, with
    `breadth` rows in view. Removed rows are passed over; their memory comes back when it is built anew.

    Raises `MissingError` without FAISS.
    """

    def __init__(
        self, *, kind: Kind = "flat", lists: Count | None = None, probes: Count = 16, links: Count = 32, breadth: Count = 128
    ) -> None:
        self._faiss = _library()
        self._kind, self._lists, self._probes, self._links, self._breadth = kind, lists, probes, links, breadth
        self._index: Any = None
        self._present: Bool[np.ndarray, " n"] = np.empty(0, dtype=bool)

    @property
    def exact(self) -> bool:
        """Whether the best are always found."""
        return self._kind == "flat"

    def __len__(self) -> int:
        return int(self._present.sum())

    def build(self, vectors: Vectors) -> None:
        """`ivf` learns its cells from these."""
        lists = min(self._lists or isqrt(len(vectors)), len(vectors))
        spelled = {"flat": "Flat", "ivf": f"IVF{lists},Flat", "hnsw": f"HNSW{self._links},Flat"}[self._kind]
        self._index = self._faiss.index_factory(vectors.shape[1], spelled, self._faiss.METRIC_INNER_PRODUCT)
        if self._kind == "ivf":
            self._index.cp.min_points_per_centroid = 1  # few rows are no reason for a warning on stderr
            self._index.train(vectors)
        self._present = np.empty(0, dtype=bool)
        self.add(vectors)

    def add(self, vectors: Vectors) -> Rows:
        """More of them; gives their row numbers."""
        if self._index is None:
            self.build(vectors)
            return np.arange(len(vectors), dtype=np.int64)
        first = len(self._present)
        self._index.add(np.ascontiguousarray(vectors, dtype=np.float32))
        self._present = np.concatenate([self._present, np.ones(len(vectors), dtype=bool)])
        return np.arange(first, len(self._present), dtype=np.int64)

    def remove(self, rows: Rows) -> None:
        """Find these no more."""
        present = self._present.copy()
        present[rows[(rows >= 0) & (rows < len(present))]] = False
        self._present = present

    def top(self, queries: Vectors, k: int, allowed: Rows | None = None) -> Found:
        """Scores and rows of the k best, best first."""
        present = self._present
        if allowed is not None:
            mask = np.zeros(len(present), dtype=bool)
            mask[allowed[(allowed >= 0) & (allowed < len(present))]] = True
            present = present & mask
        count = min(k, int(present.sum()))
        if not count:
            return np.empty((len(queries), 0), dtype=np.float32), np.empty((len(queries), 0), dtype=np.int64)
        wanted = {} if present.all() else {"sel": self._faiss.IDSelectorBitmap(np.packbits(present, bitorder="little"))}
        scores, rows = self._index.search(np.ascontiguousarray(queries), count, params=self._parameters(count, wanted))
        return np.where(rows == NONE, -np.inf, scores).astype(np.float32), rows

    def save(self, file: Path) -> None:
        """As safetensors, FAISS's own bytes within."""
        index = self._faiss.serialize_index(self._index)
        write_arrays(file, "faiss", {"index": index, "present": self._present.astype(np.uint8)})

    def load(self, file: Path) -> None:
        """Raises `DamagedError`."""
        arrays = read_arrays(file, "faiss", ("index", "present"))
        self._index = self._faiss.deserialize_index(arrays["index"])
        self._present = arrays["present"].astype(bool)

    def _parameters(self, count: int, wanted: dict[str, Any]) -> Any:
        if self._kind == "ivf":
            return self._faiss.SearchParametersIVF(nprobe=self._probes, **wanted)
        if self._kind == "hnsw":
            return self._faiss.SearchParametersHNSW(efSearch=max(self._breadth, count), **wanted)
        return self._faiss.SearchParameters(**wanted)


def _library() -> Any:
    try:
        import faiss
    except ImportError:
        raise MissingError("FAISS is not installed; get it with: pip install 'textanchor[faiss]'") from None
    return faiss
