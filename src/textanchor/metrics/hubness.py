"""How unevenly a gallery is hit."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float32
from scipy.stats import skew

CELLS = 1 << 24


def occurrence_skew(queries: Float32[np.ndarray, "q d"], gallery: Float32[np.ndarray, "g d"], *, k: int = 10) -> float | None:
    """Skewness of how often each gallery vector is among the k nearest of a query; 0 is even, hubs make it large.

    None where k reaches the gallery's size. Source: Radovanovic et al. 2010, JMLR 11, section 2 (S_Nk).
    """
    if k >= len(gallery) or not len(queries):
        return None
    step = max(1, CELLS // len(gallery))
    counts = np.zeros(len(gallery), dtype=np.int64)
    for start in range(0, len(queries), step):
        top = np.argpartition(-(queries[start : start + step] @ gallery.T), k - 1, axis=1)[:, :k]
        counts += np.bincount(top.ravel(), minlength=len(gallery))
    return float(skew(counts)) if counts.std() else 0.0
