"""How many wrong proposals of the rest can hide among the surer ones, given how many of the calibration labels do.

Calibration items are drawn at random from all. So among the wrong items, surest first, each is a calibration item as often as
chance has it, whatever the scores mean: an urn without replacement. From it follows, exactly, how many wrong ones of the rest
may come before the (c + 1)-th wrong calibration item.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TypeAlias

import numpy as np
from jaxtyping import Float64, Int
from scipy.special import gammaln

Whole: TypeAlias = Int[np.ndarray, "*s"] | int
FEW = 12  # up to so many calibration mistakes each count has a bound of its own, beyond only some: more bounds must be looser
HALVINGS = 12


@dataclass(frozen=True, kw_only=True)
class Bounds:
    """Where at most `seen[i]` wrong calibration items are surer, at most `hidden[i]` wrong ones of the rest are: all at once,
    except with probability delta. Both rise; beyond the last nothing is said."""

    seen: Int[np.ndarray, " k"]
    hidden: Int[np.ndarray, " k"]

    def on(self, wrong: Float64[np.ndarray, " n"]) -> Float64[np.ndarray, " n"]:
        """The bound for each count of wrong calibration items; infinite where there is none."""
        place = np.searchsorted(self.seen, wrong)
        return np.append(self.hidden.astype(float), np.inf)[place]


@lru_cache(maxsize=64)
def bounds(calibration: int, rest: int, delta: float, most: int) -> Bounds:
    """Of hidden wrong ones up to `most`, more being of no use. Empty where so few labels say nothing.

    Each bound holds except with one probability, the same for all, which is as large as leaves delta for all of them
    together: they fail together mostly, so that it is far above delta / k.
    """
    if not calibration or not rest or not (found := _each(calibration, rest, delta, most)).seen.size:
        return Bounds(seen=np.zeros(0, dtype=np.int64), hidden=np.zeros(0, dtype=np.int64))
    low, high = delta / (2 * len(found.seen)), delta
    best = _each(calibration, rest, low, most)
    for _ in range(HALVINGS):
        middle = float(np.sqrt(low * high))
        tried = _each(calibration, rest, middle, most)
        if failing(tried, calibration, rest) <= delta:
            low, best = middle, tried
        else:
            high = middle
    return best


def _each(calibration: int, rest: int, alone: float, most: int) -> Bounds:
    """Bounds of which each fails with probability `alone` at most: the fewest h with P(at most c of the first h + 1 + c wrong
    items are calibration items) <= alone."""
    seen = _counts(min(calibration, most * calibration // rest + FEW))  # a bound below its median would fail too often
    low, high = np.zeros(len(seen), dtype=np.int64) - 1, np.full(len(seen), min(rest, most) + 1, dtype=np.int64)
    while (high - low > 1).any():
        middle = (low + high) // 2
        draws = np.minimum(middle + 1 + seen, calibration + rest)
        enough = _at_most(seen, calibration + rest, calibration, draws) <= alone
        low, high = np.where(enough, low, middle), np.where(enough, middle, high)
    useful = high <= min(rest, most)
    return Bounds(seen=seen[useful], hidden=high[useful])


def _counts(calibration: int) -> Int[np.ndarray, " k"]:
    """0, 1, 2, ... and then ever larger steps."""
    steps = np.geomspace(FEW, max(FEW, calibration), FEW * 3).astype(np.int64)
    return np.unique(np.concatenate([np.arange(FEW), steps]))[:calibration]


def failing(told: Bounds, calibration: int, rest: int) -> float:
    """Probability that any of the bounds fails if all items are wrong, which is the worst: fewer only end the sequence early.

    A chain over the bounds: after h + 1 + c wrong items, more than c of them must be calibration items. Slow twin: every
    sequence of draws.
    """
    chance, drawn, items = np.zeros(int(told.seen.max(initial=-1)) + 2), 0, calibration + rest
    chance[0] = 1.0
    for seen, hidden in zip(told.seen, told.hidden, strict=True):
        until = min(int(seen + hidden) + 1, items)
        chance = _after(chance, calibration, items - drawn, until - drawn)
        drawn = until
        chance[: seen + 1] = 0.0
    return 1.0 - float(chance.sum())


def _after(chance: Float64[np.ndarray, " c"], calibration: int, left: int, draws: int) -> Float64[np.ndarray, " c"]:
    """Probabilities of how many calibration items have come, `draws` items later; the last entry is all larger counts."""
    last = len(chance) - 1
    here = np.flatnonzero(chance[:last])
    steps = np.arange(last + 1)
    moves = _drawn(steps[None, :] - here[:, None], left, (calibration - here)[:, None], draws)
    after = chance[here] @ moves
    after[last] = chance.sum() - after[:last].sum()
    return after


def _at_most(
    counts: Int[np.ndarray, " k"], items: int, calibration: int, draws: Int[np.ndarray, " k"]
) -> Float64[np.ndarray, " k"]:
    """Probability that of so many `draws` at most so many are calibration items."""
    return _drawn(np.arange(counts.max() + 1)[None, :], items, calibration, draws[:, None]).cumsum(axis=1)[
        np.arange(len(counts)), counts
    ]


def _drawn(
    count: Int[np.ndarray, "a b"], items: int, calibration: Int[np.ndarray, "a 1"] | int, draws: Int[np.ndarray, "a 1"] | int
) -> Float64[np.ndarray, "a b"]:
    """Hypergeometric probabilities; scipy's take minutes where there are 100,000 items."""
    others = draws - count
    possible = (count >= 0) & (count <= calibration) & (others >= 0) & (others <= items - calibration)
    count, others = np.where(possible, count, 0), np.where(possible, others, 0)
    chance = _choices(calibration, count) + _choices(items - calibration, others) - _choices(items, draws)
    return np.where(possible, np.exp(np.where(possible, chance, 0)), 0.0)


def _choices(of: Whole, some: Whole) -> Float64[np.ndarray, "*s"]:
    """Log of the binomial coefficient."""
    return np.asarray(gammaln(of + 1.0) - gammaln(some + 1.0) - gammaln(of - some + 1.0))
