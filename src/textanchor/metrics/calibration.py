"""Scores as probabilities: one temperature, fitted on pairs that nothing was fitted on, and how well it is calibrated."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from jaxtyping import Bool, Float32

Probabilities: TypeAlias = Float32[np.ndarray, "n k"]
COLDEST, HOTTEST = 1e-3, 1.0  # scores are cosines, give or take a bias


def temperature(scores: Float32[np.ndarray, "n k"], relevant: Bool[np.ndarray, "n k"]) -> float | None:
    """T in [0.001, 1] at which softmax(scores / T) gives an item's own texts the highest likelihood; None where k < 2.

    With n items, a share of 1 / (n + 2) of each target lies evenly on all texts: a few items that are all named rightly do not
    make certain what comes after them. Sources: Guo et al. 2017, arXiv:1706.04599, section 4.2; the share for few items as in
    Platt 1999, "Probabilistic outputs for support vector machines", section 2.2.
    """
    from scipy.optimize import minimize_scalar  # a quarter of a second that a search need not pay

    told = relevant.any(axis=1)
    scores, relevant = scores[told].astype(np.float64), relevant[told]
    if not len(scores) or scores.shape[1] < 2:
        return None
    evenly = 1 / (len(scores) + 2)
    scores -= np.where(relevant, scores, -np.inf).max(axis=1, keepdims=True)  # so that the sum of the right ones is 1 at least

    def loss(log_inverse: float) -> float:
        logits = scores * np.exp(log_inverse)
        top = logits.max(axis=1, keepdims=True)
        shares = np.exp(logits - top)
        total = np.log(shares.sum(axis=1)) + top[:, 0]
        right = np.log(np.where(relevant, np.exp(np.minimum(logits, 0)), 0).sum(axis=1))
        return float((total - (1 - evenly) * right - evenly * logits.mean(axis=1)).mean())

    found = minimize_scalar(loss, bounds=(-np.log(HOTTEST), -np.log(COLDEST)), method="bounded", options={"xatol": 1e-3})
    return float(np.exp(-found.x))


def probabilities(scores: Float32[np.ndarray, "n k"], temperature: float) -> Float32[np.ndarray, "n k"]:
    """softmax(scores / temperature): rows sum to 1."""
    from scipy.special import softmax

    return np.asarray(softmax(scores.astype(np.float64) / temperature, axis=1), dtype=np.float32)


def calibration_error(probabilities: Float32[np.ndarray, "n k"], relevant: Bool[np.ndarray, "n k"], *, bins: int = 10) -> float:
    """Mean difference of the top probability and the share that is right, over bins of equally many items, in [0, 1].

    Source: expected calibration error, Naeini et al. 2015, with bins of equal size as in Nixon et al. 2019, arXiv:1904.01685.
    """
    top = probabilities.argmax(axis=1)
    sure = probabilities[np.arange(len(top)), top].astype(np.float64)
    right = relevant[np.arange(len(top)), top]
    parts = [part for part in np.array_split(np.argsort(sure, kind="stable"), bins) if len(part)]
    return float(sum(len(part) * abs(sure[part].mean() - right[part].mean()) for part in parts) / max(len(top), 1))
