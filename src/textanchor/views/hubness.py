"""Corrections of hubness: one additive bias per gallery vector, from a bank of training queries.

A hub is near to many queries whatever they are. Each function gets unit vectors, `gallery` [g, d] and `bank` [b, d], and
returns the bias [g] that is added to a gallery vector's cosine.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float32

from textanchor.records import Vectors
from textanchor.settings import Amount, Count, Positive

CELLS = 1 << 24


def csls(*, gallery: Vectors, bank: Vectors, k: Count = 10) -> Float32[np.ndarray, " g"]:
    """Minus half the mean cosine with the k nearest training queries.

    Source: Conneau et al. 2018, arXiv:1710.04087, section 2.3, halved; the query's own term changes no ranking.
    """
    return -_nearest(gallery, bank, k) / 2


def nnn(*, gallery: Vectors, bank: Vectors, k: Count = 16, alpha: Amount = 0.75) -> Float32[np.ndarray, " g"]:
    """Minus alpha times the mean cosine with the k nearest training queries.

    Source: Chowdhury et al. 2024 (nearest neighbour normalization), arXiv:2410.24114, equation 3.
    """
    return -alpha * _nearest(gallery, bank, k)


def dis(*, gallery: Vectors, bank: Vectors, beta: Positive = 20.0, weight: Amount = 0.5) -> Float32[np.ndarray, " g"]:
    """Minus weight / beta times the log of the mean of exp(beta cosine) over the training queries: the inverted softmax.

    Sources: Smith et al. 2017, arXiv:1702.03859, equation 10; as a correction from training queries Bogolin et al. 2022,
    arXiv:2112.12777, section 3, applied to every gallery vector and not to activated ones only.
    """
    from scipy.special import logsumexp  # it takes longer to import than a search takes

    sums = [logsumexp(beta * (part @ bank.T), axis=1) for part in _parts(gallery, len(bank))]
    return (-weight / beta * (np.concatenate(sums) - np.log(len(bank)))).astype(np.float32)


def _nearest(gallery: Vectors, bank: Vectors, k: int) -> Float32[np.ndarray, " g"]:
    count = min(max(k, 1), len(bank))
    found = [np.partition(part @ bank.T, -count, axis=1)[:, -count:].mean(axis=1) for part in _parts(gallery, len(bank))]
    return np.concatenate(found).astype(np.float32)


def _parts(gallery: Vectors, width: int) -> list[Vectors]:
    step = max(1, CELLS // max(width, 1))
    return [gallery[start : start + step] for start in range(0, len(gallery), step)] or [gallery]
