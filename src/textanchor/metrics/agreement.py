"""Whether two representations of the same things have the same shape, before anything is fitted."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float32
from sklearn.preprocessing import normalize

from textanchor.records import Vectors


def mutual_knn(left: Vectors, right: Float32[np.ndarray, "n e"], *, k: int = 10) -> float | None:
    """Mean share of a thing's k nearest others, by cosine, that both representations name; chance is k / (n - 1).

    None for n <= k + 1. Source: Huh et al. 2024, arXiv:2405.07987, appendix A.
    """
    if len(left) <= k + 1:
        return None
    sides = []
    for vectors in (left, right):
        held = normalize(vectors - vectors.mean(axis=0))
        scores = held @ held.T
        np.fill_diagonal(scores, -np.inf)
        top = np.argpartition(-scores, k - 1, axis=1)[:, :k]
        mask = np.zeros(scores.shape, dtype=bool)
        np.put_along_axis(mask, top, True, axis=1)
        sides.append(mask)
    return float((sides[0] & sides[1]).sum(axis=1).mean() / k)


def linear_cka(left: Vectors, right: Float32[np.ndarray, "n e"]) -> float | None:
    """Linear centred kernel alignment without the bias of few items, at most 1; near 0 for unrelated sides. None for n < 4.

    Sources: Kornblith et al. 2019, arXiv:1905.00414; the unbiased estimate Song et al. 2012, JMLR 13, equation 5.
    """
    if len(left) < 4:
        return None
    grams = []
    for vectors in (left, right):
        held = (vectors - vectors.mean(axis=0)).astype(np.float64)
        gram = held @ held.T
        np.fill_diagonal(gram, 0.0)
        grams.append(gram)
    cross, mine, theirs = _hsic(grams[0], grams[1]), _hsic(grams[0], grams[0]), _hsic(grams[1], grams[1])
    return float(cross / np.sqrt(mine * theirs)) if mine > 0 and theirs > 0 else None


def _hsic(k: np.ndarray, m: np.ndarray) -> float:
    n = len(k)
    total = (k * m).sum() + k.sum() * m.sum() / ((n - 1) * (n - 2)) - 2 * (k.sum(axis=0) @ m.sum(axis=1)) / (n - 2)
    return float(total / (n * (n - 3)))
