"""A learning curve as a power law, and what it says of sizes that nobody has measured."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Shaped

from textanchor.metrics.interval import Interval
from textanchor.records.showing import short

DRAWS = 400
EXPONENTS = np.linspace(0.1, 1.5, 15)
WIDE = 0.15  # an interval wider than this says nothing that one could act on
FEWEST_SIZES, FEWEST_GROUPS = 4, 10  # with less nothing is extrapolated
FURTHER = 300  # items that are extrapolated to unless somebody says how many


@dataclass(frozen=True, kw_only=True)
class Point:
    """Fits on random training subsets of one size: their mean number of items, and each one's hits on the same queries."""

    __repr__ = short

    size: int
    hits: tuple[Shaped[np.ndarray, " q"], ...]

    @property
    def recall(self) -> float:
        """Mean over the subsets."""
        return float(np.mean([hits.mean() for hits in self.hits]))


@dataclass(frozen=True, kw_only=True)
class Extrapolated:
    """The gain expected between two sizes and its 95 % interval, both None where it cannot be told, and then `why`."""

    gain: float | None
    interval: Interval | None
    why: str


def power_law(sizes: Sequence[int], values: Float[np.ndarray, "*n s"], at: int) -> Float[np.ndarray, "*n"]:
    """a - b n^-c at one size, least squares over a and b >= 0 for each c of a grid; never above 1.

    *Shape:* values [..., sizes] -> [...]. Source: Cortes et al. 1993; Viering and Loog 2022, arXiv:2103.10948, table 1: POW3.
    """
    least, fitted = np.full(values.shape[:-1], np.inf), values[..., -1].astype(float)
    for exponent in EXPONENTS:
        x = np.asarray(sizes, dtype=float) ** -exponent
        mean, centred = values.mean(axis=-1), x - x.mean()
        slope = np.minimum(0.0, (values - mean[..., None]) @ centred / max(float(centred @ centred), 1e-18))
        start = mean - slope * x.mean()
        error = ((start[..., None] + slope[..., None] * x - values) ** 2).sum(axis=-1)
        fitted = np.where(error < least, start + slope * float(at) ** -exponent, fitted)
        least = np.minimum(least, error)
    return np.asarray(np.minimum(fitted, 1.0))


def extrapolated(points: Sequence[Point], groups: Sequence[str], ends: tuple[int, int], *, seed: int = 0) -> Extrapolated:
    """The gain expected between two sizes, by the power law through points of rising size.

    The law goes through the four largest sizes: over many sizes curves are S-shaped, and a law through all of them promises too
    much, which docs/findings.md measures. The interval is a bootstrap over groups of queries and training subsets, and spans
    what the law through all sizes says as well; neither exceeds what is left above the largest size. Nothing can be told of
    fewer than four sizes or ten groups, where the second size is more than twice the first, where the curve does not rise, or
    where the interval is wider than 15 points.
    """
    if why := _too_little(points, groups, ends):
        return Extrapolated(gain=None, interval=None, why=why)
    recalls = np.array([[point.recall for point in points], *_drawn(points, groups, seed)])
    sizes = [point.size for point in points]
    largest, every = (_gains(sizes[-many:], recalls[:, -many:], ends) for many in (FEWEST_SIZES, len(sizes)))
    told = [np.percentile(gains[1:], [2.5, 97.5]) for gains in (largest, every)]
    left = 1 - float(recalls[0, -1])
    low, high = min(left, *(float(end[0]) for end in told)), min(left, max(float(end[1]) for end in told))
    why = "" if recalls[0, -1] > recalls[0, 0] else "the curve does not rise"
    if high - low > WIDE:
        why = f"the interval would be {low:+.2f} to {high:+.2f}"
    return Extrapolated(gain=None if why else min(left, float(largest[0])), interval=None if why else (low, high), why=why)


def further(asked: int | None, items: int) -> int:
    """How many further items to extrapolate to: those asked for, else 300, or as many as there are where they are fewer."""
    return max(1, min(FURTHER, items)) if asked is None else asked


def _too_little(points: Sequence[Point], groups: Sequence[str], ends: tuple[int, int]) -> str:
    if len(set(groups)) < FEWEST_GROUPS:
        return "too few groups"
    if len(points) < FEWEST_SIZES:
        return "too few sizes"
    return f"more than as many again as the {ends[0]} there are" if ends[1] > 2 * ends[0] else ""


def _gains(sizes: Sequence[int], recalls: Float[np.ndarray, "n s"], ends: tuple[int, int]) -> Float[np.ndarray, " n"]:
    return power_law(sizes, recalls, ends[1]) - power_law(sizes, recalls, ends[0])


def _drawn(points: Sequence[Point], groups: Sequence[str], seed: int) -> list[list[float]]:
    """Recalls of draws with replacement, of groups for all sizes alike and of one subset a size."""
    rng = np.random.default_rng(seed)
    _, place = np.unique(np.array(groups, dtype=object).astype(str), return_inverse=True)
    count = int(place.max()) + 1
    recalls = []
    for _ in range(DRAWS):
        weight = np.bincount(rng.integers(count, size=count), minlength=count)[place]
        drawn = [point.hits[int(rng.integers(len(point.hits)))] for point in points]
        recalls.append([float((hits * weight).sum() / max(weight.sum(), 1)) for hits in drawn])
    return recalls
