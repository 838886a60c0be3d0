"""The mean positive cosine, which says nothing without its floor."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Int
from scipy.sparse import csr_array
from sklearn.metrics import roc_auc_score

from textanchor.records import Vectors

CELLS, AUC_ROWS = 1 << 24, 1000  # at most so many cosines are held at once


@dataclass(frozen=True, kw_only=True)
class PositiveCosine:
    """Mean cosine of items with their own texts, of mismatched pairs (the floor), and how well the two separate.

    `auc` is the chance that a random true pair has a higher cosine than a random mismatched one; None without mismatches.
    """

    mean: float
    floor: float | None
    auc: float | None
    pairs: int


def positive_cosine(
    items: Vectors, texts: Float32[np.ndarray, "t d"], edges: Int[np.ndarray, "e 2"], relevant: csr_array
) -> PositiveCosine:
    """Figures of unit vectors under one view. The floor is the mean over (item, another pair's text) with different texts.

    The AUC uses at most 1000 items, evenly spaced, and fewer where texts are many. *Shape:* items [n, d], texts [t, d],
    relevant [n, t], sparse bool.
    """
    mean = float(np.einsum("ed,ed->e", items[edges[:, 0]], texts[edges[:, 1]]).mean())
    uses = np.bincount(edges[:, 1], minlength=len(texts)).astype(np.float64)
    total = weight = 0.0
    step = max(1, CELLS // len(texts))
    for start in range(0, len(items), step):
        part = slice(start, start + step)
        mass = ~relevant[part].toarray() * uses
        total += float(((items[part] @ texts.T) * mass).sum())
        weight += float(mass.sum())
    if not weight:
        return PositiveCosine(mean=mean, floor=None, auc=None, pairs=len(edges))
    rows = np.unique(np.linspace(0, len(items) - 1, min(AUC_ROWS, step, len(items))).astype(int))
    score, truth = items[rows] @ texts.T, relevant[rows].toarray()
    auc = float(roc_auc_score(truth.ravel(), score.ravel(), sample_weight=np.tile(uses, len(rows))))
    return PositiveCosine(mean=mean, floor=total / weight, auc=auc, pairs=len(edges))
