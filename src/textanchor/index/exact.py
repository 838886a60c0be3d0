"""Exact search by one matrix product."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float32, Int

from textanchor.records import Vectors


class Exact:
    """All inner products; equal scores keep the collection's order."""

    def __init__(self, vectors: Vectors) -> None:
        self._vectors = vectors

    def top(self, queries: Vectors, k: int) -> tuple[Float32[np.ndarray, "q k"], Int[np.ndarray, "q k"]]:
        """Scores and rows of the k best, best first."""
        scores = queries @ self._vectors.T
        rows = np.argsort(-scores, axis=1, kind="stable")[:, :k]
        return np.take_along_axis(scores, rows, axis=1), rows
