"""What more pairs would bring: a learning curve, and its extrapolation with an interval."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Bool

from textanchor.doctor.closed_forms import Reached
from textanchor.judging import naming_hits, trial
from textanchor.records import PairedLatents, Task
from textanchor.records.showing import short
from textanchor.space.preparing import Sides

SHARES, REPEATS, DRAWS = (0.125, 0.25, 0.5), 3, 400
EXPONENTS = np.linspace(0.1, 1.5, 15)
WIDE = 0.15  # an interval wider than this says nothing that one could act on
FEWEST_SIZES, FEWEST_GROUPS = 4, 10  # with less nothing is extrapolated


@dataclass(frozen=True, kw_only=True)
class Curve:
    """Recall@1 on validation by number of training items, and the gain expected from `more` further ones.

    `gain` is None where the extrapolation cannot tell; `interval` is its 95 % bootstrap interval over validation groups and
    training subsets.
    """

    __repr__ = short

    sizes: tuple[int, ...]
    recalls: tuple[float, ...]
    more: int
    gain: float | None
    interval: tuple[float, float] | None
    why: str
    largest_class: float

    @property
    def text(self) -> str:
        """The curve and the verdict in words."""
        points = ", ".join(f"{size}: {recall:.3f}" for size, recall in zip(self.sizes, self.recalls, strict=True))
        points += f" (largest class {self.largest_class:.3f})"
        if self.gain is None or self.interval is None:
            return f"R@1 by training items {points}; what {self.more} more would add cannot be told ({self.why})"
        low, high = (100 * value for value in self.interval)
        gain = f"{100 * self.gain:.1f} points [{low:.1f}, {high:.1f}]"
        return f"R@1 by training items {points}; {self.more} more would add about {gain}"

    def row(self) -> dict[str, Any]:
        """Plain figures."""
        return {
            "sizes": self.sizes,
            "R@1": self.recalls,
            "largest class R@1": self.largest_class,
            "more": self.more,
            "gain": self.gain,
            "interval": self.interval,
        }


@dataclass(frozen=True, kw_only=True)
class Point:
    """Fits on random training subsets of one size: their mean number of items, and each one's hits on validation."""

    size: int
    hits: tuple[Bool[np.ndarray, " n"], ...]

    @property
    def recall(self) -> float:
        """Mean over the subsets."""
        return float(np.mean([hits.mean() for hits in self.hits]))


def curve(sides: Sides, full: Reached, *, more: int, total: int | None = None, device: str = "cpu", seed: int = 0) -> Curve:
    """Fit an eighth, a quarter and a half of the training groups, three random ones each, with the settings of the full fit.

    The curve is a - b n^-c (Cortes et al. 1993; Viering and Loog 2022, arXiv:2103.10948, table 1: POW3). It cannot tell where
    the curve does not rise, or the interval is wider than 15 points. `total` is how many training items there are, of which
    `sides` may be a random part.
    """
    points = [*_points(sides, full, device, seed), Point(size=len(sides.train.items), hits=(full.hits,))]
    groups = sides.val.groups
    gain, interval, why = None, None, "too few groups"
    if len(points) >= FEWEST_SIZES and len(set(groups)) >= FEWEST_GROUPS:
        start = total or points[-1].size
        gain, interval = _extrapolated(points, groups, (start, start + more), seed)
        why = _silent(points, interval)
    return Curve(
        sizes=tuple(point.size for point in points),
        recalls=tuple(point.recall for point in points),
        more=more,
        gain=None if why else gain,
        interval=None if why else interval,
        why=why,
        largest_class=full.largest_class,
    )


def _points(sides: Sides, full: Reached, device: str, seed: int) -> Iterator[Point]:
    """All but the last point, in order of size."""
    spec, train = full.fit.choice.fixed, sides.train
    groups = np.array(train.groups, dtype=object).astype(str)
    names = np.unique(groups)
    for count in sorted({max(2, round(share * len(names))) for share in SHARES} - {len(names)}):
        hits, sizes = [], []
        for repeat in range(REPEATS):
            chosen = np.random.default_rng([seed, repeat]).permutation(names)[:count]
            subset = train.take(np.flatnonzero(np.isin(groups, chosen)))
            if len(subset.texts) < 2:
                continue
            task = Task(train=subset, unpaired=sides.unpaired, device=device, seed=seed)
            hits.append(_hits(spec, task, sides.val))
            sizes.append(len(subset.items))
        if hits:
            yield Point(size=round(float(np.mean(sizes))), hits=tuple(hits))


def _hits(spec: str, task: Task, val: PairedLatents) -> Bool[np.ndarray, " n"]:
    return naming_hits(trial(spec, {val.modality: task}).geometry, val)


def _silent(points: Sequence[Point], interval: tuple[float, float]) -> str:
    """Why the extrapolation says nothing; "" if it does."""
    if interval[1] - interval[0] > WIDE:
        return f"the interval would be {interval[0]:+.2f} to {interval[1]:+.2f}"
    return "the curve does not rise" if points[-1].recall <= points[0].recall else ""


def power_law(sizes: Sequence[int], values: np.ndarray, at: int) -> np.ndarray:
    """a - b n^-c at one size, least squares over a and b >= 0 for each c of a grid; never above 1.

    *Shape:* values [..., sizes] -> [...].
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
    return np.minimum(fitted, 1.0)


def _extrapolated(
    points: Sequence[Point], groups: Sequence[str], ends: tuple[int, int], seed: int
) -> tuple[float, tuple[float, float]]:
    """The gain expected between two sizes, and its interval over draws of validation groups and training subsets."""
    rng = np.random.default_rng(seed)
    _, place = np.unique(np.array(groups, dtype=object).astype(str), return_inverse=True)
    count = int(place.max()) + 1
    recalls = [[point.recall for point in points]]
    for _ in range(DRAWS):
        weight = np.bincount(rng.integers(count, size=count), minlength=count)[place]
        drawn = [point.hits[int(rng.integers(len(point.hits)))] for point in points]
        recalls.append([float((hits * weight).sum() / max(weight.sum(), 1)) for hits in drawn])
    sizes, values = [point.size for point in points], np.array(recalls)
    gains = power_law(sizes, values, ends[1]) - power_law(sizes, values, ends[0])
    low, high = np.percentile(gains[1:], [2.5, 97.5])
    return float(gains[0]), (float(low), float(high))
