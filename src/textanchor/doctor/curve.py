"""What more pairs would bring: a learning curve, and its extrapolation with an interval."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from textanchor.aligners import aligner
from textanchor.doctor.reach import Reached, hits_of
from textanchor.records import PairedLatents, Task

SHARES, REPEATS, DRAWS = (0.125, 0.25, 0.5), 3, 400
EXPONENTS = np.linspace(0.1, 1.5, 15)
WIDE = 0.15  # an interval wider than this says nothing that one could act on


@dataclass(frozen=True, kw_only=True)
class Curve:
    """Recall@1 on validation by number of training items, and the gain expected from `more` further ones.

    `gain` is None where the extrapolation cannot tell; `interval` is its 95 % bootstrap interval over validation groups and
    training subsets.
    """

    sizes: tuple[int, ...]
    recalls: tuple[float, ...]
    more: int
    gain: float | None
    interval: tuple[float, float] | None
    why: str

    @property
    def text(self) -> str:
        """The curve and the verdict in words."""
        points = ", ".join(f"{size}: {recall:.3f}" for size, recall in zip(self.sizes, self.recalls, strict=True))
        if self.gain is None or self.interval is None:
            return f"R@1 by training items {points}; what {self.more} more would add cannot be told ({self.why})"
        low, high = (100 * value for value in self.interval)
        gain = f"{100 * self.gain:.1f} points [{low:.1f}, {high:.1f}]"
        return f"R@1 by training items {points}; {self.more} more would add about {gain}"


def curve(train: PairedLatents, val: PairedLatents, full: Reached, *, more: int, seed: int) -> Curve:
    """Fit an eighth, a quarter and a half of the training groups, three random ones each, with the settings of the full fit.

    The curve is a - b n^-c (Cortes et al. 1993; Viering and Loog 2022, arXiv:2103.10948, table 1: POW3). It cannot tell where
    the curve does not rise, or the interval is wider than 15 points.
    """
    groups = np.array(train.groups, dtype=object).astype(str)
    names = np.unique(groups)
    spec = full.fit.choice.fixed
    hits: list[list[np.ndarray]] = []
    sizes = []
    counted = sorted({max(2, round(share * len(names))) for share in SHARES} - {len(names)})
    for wanted in counted:
        done, counts = [], []
        for repeat in range(REPEATS):
            chosen = np.random.default_rng([seed, repeat]).permutation(names)[:wanted]
            part = train.take(np.flatnonzero(np.isin(groups, chosen)))
            if len(part.texts) < 2:
                continue
            done.append(hits_of(aligner(spec).fit(Task(train=part, seed=seed)), val))
            counts.append(len(part.items))
        if done:
            hits.append(done)
            sizes.append(round(float(np.mean(counts))))
    hits.append([full.hits])
    sizes.append(len(train.items))
    recalls = tuple(float(np.mean([one.mean() for one in held])) for held in hits)
    plain: dict[str, Any] = {"sizes": tuple(sizes), "recalls": recalls, "more": more}
    if len(sizes) < 4 or len(set(val.groups)) < 10:
        return Curve(**plain, gain=None, interval=None, why="too few groups")
    gain, interval = _extrapolated(sizes, hits, val.groups, more, seed)
    if interval[1] - interval[0] > WIDE:
        return Curve(**plain, gain=None, interval=None, why=f"the interval would be {interval[0]:+.2f} to {interval[1]:+.2f}")
    if recalls[-1] <= recalls[0]:
        return Curve(**plain, gain=None, interval=None, why="the curve does not rise")
    return Curve(**plain, gain=gain, interval=interval, why="")


def power_law(sizes: Sequence[int], values: np.ndarray, at: int) -> np.ndarray:
    """a - b n^-c at one size, least squares over a and b >= 0 for each c of a grid; never above 1.

    *Shape:* values [..., sizes] -> [...].
    """
    least, found = np.full(values.shape[:-1], np.inf), values[..., -1].astype(float)
    for exponent in EXPONENTS:
        x = np.asarray(sizes, dtype=float) ** -exponent
        mean, centred = values.mean(axis=-1), x - x.mean()
        slope = np.minimum(0.0, (values - mean[..., None]) @ centred / max(float(centred @ centred), 1e-18))
        start = mean - slope * x.mean()
        error = ((start[..., None] + slope[..., None] * x - values) ** 2).sum(axis=-1)
        found = np.where(error < least, start + slope * float(at) ** -exponent, found)
        least = np.minimum(least, error)
    return np.minimum(found, 1.0)


def _extrapolated(
    sizes: Sequence[int], hits: Sequence[Sequence[np.ndarray]], groups: Sequence[str], more: int, seed: int
) -> tuple[float, tuple[float, float]]:
    """The expected gain and its interval: validation groups and training subsets are drawn again and again."""
    rng = np.random.default_rng(seed)
    _, place = np.unique(np.array(groups, dtype=object).astype(str), return_inverse=True)
    count = int(place.max()) + 1
    drawn = []
    for _ in range(DRAWS):
        weight = np.bincount(rng.integers(count, size=count), minlength=count)[place]
        picked = [held[int(rng.integers(len(held)))] for held in hits]
        drawn.append([(one * weight).sum() / max(weight.sum(), 1) for one in picked])
    mean = np.array([[np.mean([one.mean() for one in held]) for held in hits], *drawn])
    gains = power_law(sizes, mean, sizes[-1] + more) - power_law(sizes, mean, sizes[-1])
    low, high = np.percentile(gains[1:], [2.5, 97.5])
    return float(gains[0]), (float(low), float(high))
