"""The order in which items are let through: by score, equal ones by lot."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64, Int

from textanchor.labelling.guarantee.promise import Calibration, Rest, grouped


@dataclass(frozen=True, kw_only=True)
class Ranking:
    """Calibration and rest in one order, surest first.

    `order` [n] are rows of the rest. At each of them `wrong` [n] counts the wrong calibration items before it, by weight, and
    `own` [n] the rest's items of its group up to it, itself included. `before` [m] is how many of the rest are surer than each
    calibration item.
    """

    order: Int[np.ndarray, " n"]
    wrong: Float64[np.ndarray, " n"]
    own: Float64[np.ndarray, " n"]
    before: Int[np.ndarray, " m"]


def ranked(calibration: Calibration, rest: Rest, seed: int) -> Ranking:
    """The order of these scores. Equal scores are ordered by lot: a strict order of exchangeable items keeps them
    exchangeable, while counting equals to either side favours one of the two."""
    m = len(calibration)
    scores = np.concatenate([calibration.scores, rest.scores])
    order = np.lexsort((np.random.default_rng(seed).permutation(len(scores)), -scores))
    place = np.empty(len(order), dtype=np.int64)
    place[order] = np.cumsum(order >= m)
    wrong = np.concatenate([calibration.counts * calibration.wrong, np.zeros(len(rest))])
    of_rest = order >= m
    rows = order[of_rest] - m
    return Ranking(
        order=rows,
        wrong=np.cumsum(wrong[order])[of_rest],
        own=np.ones(len(rows)) if calibration.groups is None else running(grouped(rest)[rows]),
        before=place[:m],
    )


def running(groups: Int[np.ndarray, " n"]) -> Float64[np.ndarray, " n"]:
    """How often each group has come by then: 1, 1, 2 for a, b, a."""
    order = np.argsort(groups, kind="stable")
    place = np.arange(len(groups))
    first = np.append(True, np.diff(groups[order]) != 0)[: len(groups)]
    counts = np.empty(len(groups))
    counts[order] = place - np.maximum.accumulate(np.where(first, place, 0)) + 1
    return counts


def sizes(calibration: Calibration, rest: Rest) -> Float64[np.ndarray, " n"]:
    """How many items of the rest each one's group has; 1 where items were drawn."""
    if calibration.groups is None:
        return np.ones(len(rest))
    _, code, count = np.unique(grouped(rest), return_inverse=True, return_counts=True)
    return count[code].astype(float)
