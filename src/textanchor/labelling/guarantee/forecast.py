"""What further random labels would let through: estimates, no promises."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Int

from textanchor.labelling.guarantee.promise import Calibration, Promise, Rest
from textanchor.labelling.guarantee.protocol import Guarantee

DRAWS = 5
FACTORS = (1.25, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10, 13, 16, 20, 25, 32, 40, 50, 64, 80, 100)
MOST = 5_000  # items of the rest that are looked at; a share needs no more


def freed(
    guarantee: Guarantee, calibration: Calibration, rest: Rest, promise: Promise, *, more: int, draws: int = DRAWS
) -> float:
    """Share of the rest that `more` further random labels (or groups, where groups were drawn) would let through.

    As if they were like those at hand, drawn from them with replacement, and the proposer no better for them: the median
    of some draws. It ignores that a proposer learns, so that mostly it is too low.
    """
    if not len(calibration) or not len(rest):
        return 0.0
    few = _fewer(rest, promise.seed)
    shares = [
        guarantee.accepted(_enlarged(calibration, more, [promise.seed, turn]), few, promise).mean() for turn in range(draws)
    ]
    return float(np.median(shares))


def needed(guarantee: Guarantee, calibration: Calibration, rest: Rest, promise: Promise) -> int | None:
    """How many further random labels (or groups) would let anything through, by `freed`; None if a hundred times as many would
    not. Without any label it is as if one were right."""
    known = calibration if len(calibration) else Calibration(scores=np.ones(1), wrong=np.zeros(1, dtype=bool))
    for factor in FACTORS:
        more = max(1, round((factor - 1) * known.units))
        if freed(guarantee, known, rest, promise, more=more) > 0:
            return more + known.units - calibration.units
    return None


def _fewer(rest: Rest, seed: int) -> Rest:
    rows = np.sort(np.random.default_rng(seed).permutation(len(rest))[:MOST])
    return Rest(scores=rest.scores[rows], groups=None if rest.groups is None else rest.groups[rows])


def _enlarged(calibration: Calibration, more: int, seed: Sequence[int]) -> Calibration:
    """The labels and `more` drawn from them again; a group drawn again is a group of its own."""
    rng = np.random.default_rng(seed)
    if calibration.groups is None:
        return _taken(calibration, np.append(np.arange(len(calibration)), rng.integers(len(calibration), size=more)), None)
    names, code = np.unique(calibration.groups, return_inverse=True)
    drawn = np.append(np.arange(len(names)), rng.integers(len(names), size=more))
    rows = [np.flatnonzero(code == one) for one in drawn]
    return _taken(calibration, np.concatenate(rows), np.repeat(np.arange(len(drawn)), [len(one) for one in rows]))


def _taken(calibration: Calibration, rows: Int[np.ndarray, " k"], groups: Int[np.ndarray, " k"] | None) -> Calibration:
    return Calibration(
        scores=calibration.scores[rows],
        wrong=calibration.wrong[rows],
        groups=groups,
        weights=None if calibration.weights is None else calibration.weights[rows],
        scored=calibration.scored,
    )
