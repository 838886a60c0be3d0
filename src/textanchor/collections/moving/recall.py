"""What is lost when a gallery's vectors are not its own but mapped from elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Int

from textanchor.errors import InputError
from textanchor.metrics.interval import Interval, of_share
from textanchor.records import Vectors

STEP = 512


@dataclass(frozen=True, kw_only=True)
class Kept:
    """The share of each query's true k best that mapped vectors find among their k best; mean over queries, in [0, 1].

    `interval` is of 95 %, over queries; None for a single one. In a larger gallery than of `items` neighbours are closer to
    each other, and less is kept: `smaller` are (items, recall) of parts of the gallery, from which `foreseen` goes on.
    """

    recall: float
    interval: Interval | None
    k: int
    queries: int
    items: int
    smaller: tuple[tuple[int, float], ...] = ()

    def foreseen(self, total: int) -> float:
        """What may be kept among `total` items: a straight line over the logarithm of their number, measured (docs/findings.md)
        to be rather too careful from a thousand items on. The recall itself for no more items than were measured, or where too
        few were."""
        if total <= self.items or not self.smaller:
            return self.recall
        sizes, recalls = zip(*self.smaller, (self.items, self.recall), strict=True)
        slope = float(np.polyfit(np.log2(sizes), recalls, 1)[0])
        return max(0.0, self.recall + min(slope, 0.0) * float(np.log2(total / self.items)))

    def __str__(self) -> str:
        between = f" [{self.interval[0]:.3f}, {self.interval[1]:.3f}]" if self.interval else ""
        return f"recall@{self.k} {self.recall:.3f}{between} of {self.queries} queries among {self.items} items"


def recall_kept(mapped: Vectors, new: Vectors, queries: Vectors, *, k: int = 10) -> Kept:
    """How many of the true best hits the mapped vectors of the same items give.

    All are as they are compared, so that inner products are scores: `Comparison.gallery` of either, `Comparison.query`. The
    items must be none that the map was fitted on. Raises `InputError` if there are no more than k items, or no queries.
    """
    if len(mapped) != len(new):
        raise InputError(f"{len(mapped)} mapped vectors and {len(new)} new ones; expected the same items, row by row")
    if len(new) <= k or not len(queries):
        raise InputError(
            f"recall@{k} cannot be measured with {len(queries)} queries among {len(new)} items; encode more in both"
        )
    shares = np.concatenate(list(_shares(mapped, new, queries, k)))
    parts = [(mapped[::step], new[::step]) for step in (4, 2) if len(new) // step > 2 * k]
    smaller = tuple((len(part), float(np.concatenate(list(_shares(own, part, queries, k))).mean())) for own, part in parts)
    interval = of_share(shares, [str(row) for row in range(len(shares))])
    return Kept(recall=float(shares.mean()), interval=interval, k=k, queries=len(queries), items=len(new), smaller=smaller)


def refuse_below(kept: Kept, least: float, *, total: int = 0) -> None:
    """Raises `InputError` with the value and its interval if less is kept than asked, or may be among `total` items."""
    if (foreseen := kept.foreseen(total)) < least:
        ahead = f", about {foreseen:.3f} among {total}" if total > kept.items else ""
        raise InputError(
            f"the map keeps {kept}{ahead}, and {least:g} is asked for; "
            "encode more items in both spaces, ask for less, or encode all anew"
        )


def _shares(mapped: Vectors, new: Vectors, queries: Vectors, k: int) -> Iterator[Float32[np.ndarray, " q"]]:
    for start in range(0, len(queries), STEP):
        part = queries[start : start + STEP]
        yield _common(_best(part @ new.T, k), _best(part @ mapped.T, k))


def _best(scores: Float32[np.ndarray, "q n"], k: int) -> Int[np.ndarray, "q k"]:
    return np.argpartition(-scores, k - 1, axis=1)[:, :k]


def _common(one: Int[np.ndarray, "q k"], other: Int[np.ndarray, "q k"]) -> Float32[np.ndarray, " q"]:
    """Share of each row's entries that the other's row has too."""
    return (one[:, :, None] == other[:, None, :]).any(axis=2).mean(axis=1, dtype=np.float32)
