"""Tests of the rate of wrong proposals where whole groups were drawn: a fixed sequence of bets."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float64, Int

from textanchor.labelling.guarantee.promise import Calibration, Promise, Rest
from textanchor.labelling.guarantee.ranking import Ranking, ranked, sizes

SHARES = np.arange(1, 21) / 20  # of the rest, surest first
STAKES = np.linspace(0.05, 0.95, 10)


def let_through(calibration: Calibration, rest: Rest, promise: Promise) -> Bool[np.ndarray, " n"]:
    """The longest list of the sequence until which no test fails.

    Each tests "among groups such as these, more than `level` of what this list lets through is wrong" at the whole `delta`,
    which is all that a sequence fixed beforehand spends (Learn then Test, arXiv:2110.01052, section 4.1). It begins where a
    test could pass at all.
    """
    ranking = ranked(calibration, rest, promise.seed)
    accepted = np.zeros(len(rest), dtype=bool)
    for share in SHARES[smallest(calibration, rest, promise) <= SHARES]:
        most = int(share * len(rest))
        if (
            capital(excess(calibration, ranking, most, promise.level), largest(calibration, rest), promise)
            < 1 / promise.spent_delta
        ):
            break
        accepted[ranking.order[:most]] = True
    return accepted


def excess(calibration: Calibration, ranking: Ranking, most: int, level: float) -> Float64[np.ndarray, " g"]:
    """A group's wrong ones among what is let through, less `level` times all of them; by weight."""
    through = (ranking.before < most) * calibration.counts
    code = _codes(calibration)
    return np.bincount(code, weights=through * (calibration.wrong - level))


def largest(calibration: Calibration, rest: Rest) -> float:
    """The largest group's number of items."""
    return max(np.bincount(_codes(calibration), weights=calibration.counts).max(), sizes(calibration, rest).max(initial=1))


def _codes(calibration: Calibration) -> Int[np.ndarray, " m"]:
    groups = np.arange(len(calibration)) if calibration.groups is None else calibration.groups
    return np.unique(groups, return_inverse=True)[1]


def capital(found: Float64[np.ndarray, " g"], bound: float, promise: Promise) -> float:
    """What a gambler ends with who begins with 1 and stakes, group by group, that the mean of `found` is below 0.

    If it is not, the capital is expected to stay 1 at most, and reaches 1 / delta with probability delta at most (Ville). The
    mean over ten stakes. Source: Waudby-Smith and Ramdas 2024, arXiv:2010.09686, section 4.
    """
    bets = STAKES / ((1 - promise.level) * bound)
    return float(np.exp(np.log1p(-bets[:, None] * found[None, :]).sum(axis=1)).mean())


def smallest(calibration: Calibration, rest: Rest, promise: Promise) -> float:
    """The smallest share of the rest for which the test could pass if nothing were wrong and groups were of one size; infinite
    where none could."""
    if not len(calibration):
        return np.inf
    mean = calibration.counts.sum() / calibration.units
    right = -promise.level * mean * np.ones(calibration.units)
    enough = (
        share for share in SHARES if capital(share * right, largest(calibration, rest), promise) >= 1 / promise.spent_delta
    )
    return next(enough, np.inf)
