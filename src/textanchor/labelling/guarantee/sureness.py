"""How sure a proposal is, by what all proposers said and by what lies near, each as far as labels show that it tells.

A proposer's own probability is made to choose among classes, and orders items badly where it is sure of all. The order decides
how much a guarantee lets through, and never whether it holds.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from jaxtyping import Bool, Float64, Int
from scipy.stats import rankdata

from textanchor.labelling.pool import Features, Labelled, Pool, Probabilities, Rows
from textanchor.views import unit

BESIDES = 2  # kinds of evidence beside what proposers say
CHUNK = 8192


def evidence(
    pool: Pool, known: Labelled, rows: Rows, classes: Int[np.ndarray, " k"], said: Mapping[str, Probabilities]
) -> Float64[np.ndarray, "k f"]:
    """What speaks for `classes` at `rows`: the log odds that each of `said` [k, c] gives them, the cosine to the nearest
    labelled item of the class, and how much nearer that is than any of another class."""
    place = np.arange(len(rows))
    odds = [_log_odds(one[place, classes]) for one in said.values()]
    return np.stack([*odds, *_nearest(pool, known, rows, classes).T], axis=1)


def _log_odds(chance: np.ndarray) -> Float64[np.ndarray, " k"]:
    clear = np.clip(chance.astype(np.float64), 1e-4, 1 - 1e-4)
    return np.log(clear / (1 - clear))


def _nearest(pool: Pool, known: Labelled, rows: Rows, classes: Int[np.ndarray, " k"]) -> Float64[np.ndarray, "k 2"]:
    """Means over an item's sights; 0 where there is nothing to compare with."""
    total, seen = np.zeros((len(rows), 2)), np.zeros(len(rows))
    for sight in pool.features:
        there = known.taken(sight.present[known.rows])
        for start in range(0, len(rows) if len(there) else 0, CHUNK):
            part = slice(start, start + CHUNK)
            asked = sight.present[rows[part]]
            total[part][asked] += _in_sight(sight, there, rows[part][asked], classes[part][asked])
            seen[part] += asked
    return total / np.maximum(seen, 1)[:, None]


def _in_sight(sight: Features, known: Labelled, rows: Rows, classes: Int[np.ndarray, " k"]) -> Float64[np.ndarray, "k 2"]:
    alike = _directions(sight, rows) @ _directions(sight, known.rows).T
    own = known.classes[None, :] == classes[:, None]
    best = np.where(own, alike, -np.inf).max(axis=1), np.where(own, -np.inf, alike).max(axis=1)
    same, other = (np.where(np.isfinite(one), one, 0.0) for one in best)
    return np.stack([same, same - other], axis=1)


def _directions(sight: Features, rows: Rows) -> np.ndarray:
    return unit(sight.values[rows])


def telling(seen: Float64[np.ndarray, "m f"], right: Bool[np.ndarray, " m"]) -> Float64[np.ndarray, " f"]:
    """How well each kind of evidence tells right from wrong labels: the square of 2 AUC - 1, 0 below chance; all alike where
    none does. Weights that are fitted more closely, by logistic regression, order few labels worse."""
    weights = np.array([max(0.0, 2 * _auc(one, right) - 1) ** 2 for one in seen.T])
    return weights if weights.any() else np.ones(seen.shape[1])


def standing(
    asked: Float64[np.ndarray, "k f"], others: Float64[np.ndarray, "b f"], weights: Float64[np.ndarray, " f"]
) -> Float64[np.ndarray, " k"]:
    """Share of the others, from 0 to 1, whose evidence is weaker: the weighted sum of its kinds, each in standard deviations of
    the others. Equal ones count half."""
    if not len(others):
        return np.full(len(asked), 0.5)
    scale = np.where(others.std(axis=0) > 1e-9, others.std(axis=0), 1.0)
    ranks = np.sort((others / scale) @ weights)
    found = (asked / scale) @ weights
    return (np.searchsorted(ranks, found, "left") + np.searchsorted(ranks, found, "right")) / (2 * len(ranks))


def _auc(values: Float64[np.ndarray, " m"], right: Bool[np.ndarray, " m"]) -> float:
    """How often a right one has the larger value; 1 / 2 where there is only one sort."""
    some, others = int(right.sum()), int((~right).sum())
    if not some or not others:
        return 0.5
    return float((rankdata(values)[right].sum() - some * (some + 1) / 2) / (some * others))
