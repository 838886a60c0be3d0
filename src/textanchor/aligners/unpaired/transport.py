"""Which texts an item without a text may have: plans [n, t] from scores, each row a distribution or empty."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from jaxtyping import Float32

from textanchor.errors import InputError

Scores = Float32[np.ndarray, "n t"]
Shares = Float32[np.ndarray, " t"]
Matching = Callable[[Scores, Shares, float], Scores]

ITERATIONS, NEIGHBOURS, TINY = 10, 10, 1e-30


def matching(name: str) -> Matching:
    """A way of matching by name. Raises `InputError`."""
    known: dict[str, Matching] = {"sinkhorn": sinkhorn, "softmax": softmax, "mutual": mutual}
    if name not in known:
        raise InputError(f"matching={name}: expected {', '.join(known)}")
    return known[name]


def sinkhorn(scores: Scores, shares: Shares, temperature: float) -> Scores:
    """The entropic transport plan in which every item has as much to give as another and text t receives `shares[t]` of it.

    No text can be a hub: what many items want is divided among them. A few iterations come near enough; the rows are
    exact. `temperature` is the entropy's weight, in units of the scores. Source: Cuturi 2013, arXiv:1306.0895, algorithm 1.
    """
    plan = _exponential(scores - scores.max(axis=0), temperature)  # the same plan; a text that all want leaves no row empty
    receives = (shares * (len(scores) / shares.sum())).astype(np.float32)
    wanted = np.ones_like(receives)
    for _ in range(ITERATIONS):
        gives = 1 / np.maximum(plan @ wanted, TINY)
        wanted = receives / np.maximum(plan.T @ gives, TINY)
    plan *= wanted
    plan /= np.maximum(plan.sum(axis=1, keepdims=True), TINY)
    return plan


def softmax(scores: Scores, shares: Shares, temperature: float) -> Scores:
    """Each item by itself, texts weighed by `shares`: nothing keeps texts from being hubs. Here to be measured against."""
    plan = _exponential(scores, temperature) * shares
    plan /= np.maximum(plan.sum(axis=1, keepdims=True), TINY)
    return plan


def mutual(scores: Scores, shares: Shares, temperature: float) -> Scores:
    """One text for an item or none: both must be the other's nearest, by scores less the mean of a text's 10 best.

    Neither `shares` nor `temperature` counts. Sources: Conneau et al. 2018, arXiv:1710.04087, section 2.3, and Artetxe et al.
    2018, arXiv:1805.06297, section 3.3, in which such pairs are the dictionary of the next round.
    """
    count = min(NEIGHBOURS, len(scores))
    corrected = scores - np.partition(scores, -count, axis=0)[-count:].mean(axis=0) / 2
    best = corrected.argmax(axis=1)
    rows = np.flatnonzero(corrected.argmax(axis=0)[best] == np.arange(len(scores)))
    plan = np.zeros_like(scores)
    plan[rows, best[rows]] = 1
    return plan


def _exponential(scores: Scores, temperature: float) -> Scores:
    """exp(scores / temperature), each row divided by its largest value, which no plan depends on."""
    plan = scores - scores.max(axis=1, keepdims=True)
    plan /= temperature
    return np.exp(plan, out=plan)
