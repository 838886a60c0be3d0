"""One sentence on whether more pairs are worth their price."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from textanchor.budgeting.spots import Spot
from textanchor.judging import paired
from textanchor.metrics.interval import Interval
from textanchor.metrics.power_law import Extrapolated, Point, extrapolated, further

POINT = 0.01  # of recall: less is not worth a pair


@dataclass(frozen=True, kw_only=True)
class Advice:
    """What the best method reaches with all pairs, what `more` would add, and beyond how many pairs a point was not gained.

    `gain` says why where it cannot be told; `enough` is None where every step up to all pairs may have gained a point.
    """

    modality: str
    method: str
    pairs: int
    depth: int
    recall: float
    chance: float
    interval: Interval | None
    more: int
    gain: Extrapolated
    enough: int | None

    @property
    def text(self) -> str:
        """The sentence."""
        if self.gain.gain is None or self.gain.interval is None:
            expected = f"what {self.more} more would add cannot be told ({self.gain.why})"
        else:
            low, high = (100 * end for end in self.gain.interval)
            expected = f"{self.more} more would add about {100 * self.gain.gain:.1f} points [{low:.1f}, {high:.1f}]"
        level = "" if self.enough is None else f"; beyond {self.enough} pairs less than a point was gained"
        reached = f"mean R@{self.depth} {self.recall:.3f}, chance {self.chance:.3f}"
        return f"{self.modality}: with {self.pairs} pairs {self.method} is best ({reached}); {expected}{level}"

    def row(self) -> dict[str, Any]:
        """JSON-ready."""
        return {
            "modality": self.modality,
            "method": self.method,
            "pairs": self.pairs,
            f"mean R@{self.depth}": self.recall,
            f"chance mean R@{self.depth}": self.chance,
            "interval": self.interval,
            "more": self.more,
            "gain": self.gain.gain,
            "gain interval": self.gain.interval,
            "cannot be told": self.gain.why or None,
            "enough": self.enough,
            "text": self.text,
        }


def advice(found: Sequence[Spot], *, more: int | None = None) -> Advice:
    """Of one modality's spots: the method that is best with the most pairs, of equals the quickest, and its power law."""
    best = max(found, key=lambda spot: (spot.share, round(spot.recall, 6), -spot.seconds))
    curve = sorted((spot for spot in found if spot.method == best.method), key=lambda spot: spot.share)
    added = further(more, best.pairs)
    points = [Point(size=spot.pairs, hits=spot.drawn) for spot in curve]
    return Advice(
        modality=best.modality,
        method=best.method,
        pairs=best.pairs,
        depth=best.depth,
        recall=best.recall,
        chance=best.chance,
        interval=best.interval,
        more=added,
        gain=extrapolated(points, best.groups, (best.pairs, best.pairs + added)),
        enough=_enough(curve),
    )


def _enough(curve: Sequence[Spot]) -> int | None:
    """The fewest pairs from which on the interval of what all pairs gained stays below a point."""
    last, fewest = curve[-1], None
    for spot in reversed(curve[:-1]):
        gained = paired(last.hits, spot.hits, last.groups).interval
        if gained is None or gained[1] >= POINT:
            break
        fewest = spot.pairs
    return fewest
