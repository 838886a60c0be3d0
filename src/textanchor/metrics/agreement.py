"""Whether two representations of the same things have the same shape, before anything is fitted."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float32
from sklearn.preprocessing import normalize

from textanchor.records import Vectors

BLOCK = 1024  # things whose neighbours are sought at once


def mutual_knn(left: Vectors, right: Float32[np.ndarray, "n e"], *, k: int = 10) -> float | None:
    """Mean share of a thing's k nearest others, by cosine, that both representations name; chance is k / (n - 1).

    None for n <= k + 1. Source: Huh et al. 2024, arXiv:2405.07987, appendix A.
    """
    if len(left) <= k + 1:
        return None
    sides = [normalize(vectors - vectors.mean(axis=0)) for vectors in (left, right)]
    shared = 0
    for start in range(0, len(left), BLOCK):
        mine, theirs = (_nearest(vectors, start, k) for vectors in sides)
        shared += int((mine & theirs).sum())
    return float(shared / len(left) / k)


def _nearest(vectors: np.ndarray, start: int, k: int) -> np.ndarray:
    """Which things are among the k nearest of a block of them. *Shape:* [block, n], bool."""
    scores = vectors[start : start + BLOCK] @ vectors.T
    rows = np.arange(len(scores))
    scores[rows, rows + start] = -np.inf
    mask = np.zeros(scores.shape, dtype=bool)
    np.put_along_axis(mask, np.argpartition(-scores, k - 1, axis=1)[:, :k], True, axis=1)
    return mask


def linear_cka(left: Vectors, right: Float32[np.ndarray, "n e"]) -> float | None:
    """Linear centred kernel alignment without the bias of few items, at most 1; near 0 for unrelated sides. None for n < 4.

    Sources: Kornblith et al. 2019, arXiv:1905.00414; the unbiased estimate Song et al. 2012, JMLR 13, equation 5.
    """
    if len(left) < 4:
        return None
    x, y = ((vectors - vectors.mean(axis=0)).astype(np.float64) for vectors in (left, right))
    cross, mine, theirs = _hsic(x, y), _hsic(x, x), _hsic(y, y)
    return float(cross / np.sqrt(mine * theirs)) if mine > 0 and theirs > 0 else None


def _hsic(x: np.ndarray, y: np.ndarray) -> float:
    """Of the Gram matrices x x' and y y' without their diagonals, neither of which is ever made. *Shape:* [n, d], [n, e]."""
    n, own, others = len(x), (x**2).sum(axis=1), (y**2).sum(axis=1)
    rows, columns = x @ x.sum(axis=0) - own, y @ y.sum(axis=0) - others
    both = float(((x.T @ y) ** 2).sum() - own @ others)
    total = both + rows.sum() * columns.sum() / ((n - 1) * (n - 2)) - 2 * float(rows @ columns) / (n - 2)
    return float(total / (n * (n - 3)))
