"""Where two sets of unit vectors lie: the gap between them, how near true pairs are, how evenly each set spreads."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float32, Int

from textanchor.records import Vectors

ROWS = 2000  # pairs of so many vectors at most are averaged


def modality_gap(items: Vectors, texts: Float32[np.ndarray, "t d"]) -> float:
    """Distance of the two sets' means. Source: Liang et al. 2022, arXiv:2203.02053, section 4."""
    return float(np.linalg.norm(items.mean(axis=0) - texts.mean(axis=0)))


def alignment(items: Vectors, texts: Float32[np.ndarray, "t d"], edges: Int[np.ndarray, "e 2"]) -> float:
    """Mean squared distance of true pairs, in [0, 4]; smaller is nearer. Source: Wang and Isola 2020, arXiv:2005.10242, eq.
    4."""
    return float(((items[edges[:, 0]] - texts[edges[:, 1]]) ** 2).sum(axis=1).mean())


def uniformity(vectors: Vectors, *, t: float = 2.0) -> float | None:
    """log of the mean of exp(-t ||x - y||^2) over pairs, in [-4 t, 0]; smaller is more even. None for fewer than two vectors.

    At most 2000 vectors, evenly spaced, are paired. Source: Wang and Isola 2020, arXiv:2005.10242, equation 5.
    """
    held = vectors[np.unique(np.linspace(0, len(vectors) - 1, min(ROWS, len(vectors))).astype(int))]
    if len(held) < 2:
        return None
    apart = np.exp(-t * (2 - 2 * (held @ held.T).astype(np.float64)))
    return float(np.log((apart.sum() - np.trace(apart)) / (len(held) * (len(held) - 1))))
