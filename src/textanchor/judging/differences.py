"""Paired differences of recall@1: the same queries asked of two geometries."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Shaped

from textanchor.judging.figures import Ranking
from textanchor.metrics.interval import Interval, of_gain

_COMPARED = {"better": "better than", "worse": "worse than", "equal": "equal to"}


@dataclass(frozen=True, kw_only=True)
class Difference:
    """The mean gain, its 95 % interval over groups, and in a word what the two allow to say."""

    gain: float
    interval: Interval | None
    verdict: str

    @property
    def compared(self) -> str:
        """What stands before the other's name in a sentence."""
        return _COMPARED.get(self.verdict, "no difference can be told to")

    @property
    def size(self) -> str:
        """The gain with its interval: +0.120 [+0.040, +0.200]."""
        ends = "" if self.interval is None else f" [{self.interval[0]:+.3f}, {self.interval[1]:+.3f}]"
        return f"{self.gain:+.3f}{ends}"

    def row(self) -> dict[str, Any]:
        """JSON-ready."""
        return {"R@1 difference": self.gain, "95 % interval": self.interval, "verdict": self.verdict}


def paired(mine: Shaped[np.ndarray, " q"], others: Shaped[np.ndarray, " q"], groups: Sequence[str]) -> Difference:
    """The difference of hits, or of their means over seeds, query by query."""
    gain = mine.astype(float) - others
    interval = of_gain(gain, groups)
    return Difference(gain=float(gain.mean()), interval=interval, verdict=verdict(gain, interval))


def difference(mine: Ranking, other: Ranking) -> Difference | None:
    """Of two rankings of the same queries; None where no query counts or they are not the same."""
    if mine.name != other.name or mine.groups != other.groups or not mine.groups:
        return None
    return paired(mine.hits, other.hits, mine.groups)


def verdict(gain: Shaped[np.ndarray, " q"], interval: Interval | None) -> str:
    """What a paired difference and its interval allow to say; "better" only where the interval excludes 0."""
    if not gain.any():
        return "equal"
    if interval is None or interval[0] <= 0 <= interval[1]:
        return "cannot tell"
    return "better" if gain.mean() > 0 else "worse"
