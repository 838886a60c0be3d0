"""What more pairs would bring: a learning curve, and its extrapolation with an interval."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Bool

from textanchor.doctor.closed_forms import Reached
from textanchor.judging import naming_hits, trial
from textanchor.metrics.power_law import Point, extrapolated, further
from textanchor.records import PairedLatents, Task
from textanchor.records.showing import short
from textanchor.space.preparing import Sides

SHARES, REPEATS = (0.125, 0.25, 0.5), 3


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


def curve(
    sides: Sides, full: Reached, *, more: int | None = None, total: int | None = None, device: str = "cpu", seed: int = 0
) -> Curve:
    """Fit an eighth, a quarter and a half of the training groups, three random ones each, with the settings of the full fit.

    The curve is a power law, which says itself when it cannot tell (`metrics.power_law`). `total` is how many training items
    there are, of which `sides` may be a random part.
    """
    points = [*_points(sides, full, device, seed), Point(size=len(sides.train.items), hits=(full.hits,))]
    start = total or points[-1].size
    added = further(more, start)
    found = extrapolated(points, sides.val.groups, (start, start + added), seed=seed)
    return Curve(
        sizes=tuple(point.size for point in points),
        recalls=tuple(point.recall for point in points),
        more=added,
        gain=found.gain,
        interval=found.interval,
        why=found.why,
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
