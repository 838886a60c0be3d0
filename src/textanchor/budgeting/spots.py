"""Cells gathered by method and share: recalls with intervals, what two methods differ by, and where one overtakes the other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations, groupby, pairwise
from typing import Any

import numpy as np
from jaxtyping import Float

from textanchor.budgeting.cells import Cell
from textanchor.judging import Difference, paired
from textanchor.metrics.interval import Interval, of_share
from textanchor.records.showing import short

DEPTHS, LARGE = (1, 10), 100


@dataclass(frozen=True, kw_only=True)
class Spot:
    """One method on one share of the pairs: its cells, one a seed."""

    __repr__ = short

    modality: str
    method: str
    share: float
    cells: tuple[Cell, ...]

    @property
    def pairs(self) -> int:
        """Mean number of pairs, an item with its texts being one."""
        return round(float(np.mean([cell.pairs for cell in self.cells])))

    @property
    def depth(self) -> int:
        """Of the main figure: 10, or 1 where a gallery has fewer than a hundred things: among few, ten are soon right."""
        return 10 if all(one.gallery >= LARGE for one in self.cells[0].answers.values()) else 1

    @cached_property
    def groups(self) -> tuple[str, ...]:
        """Of the queries of all directions, one direction after another."""
        return tuple(group for one in self.cells[0].answers.values() for group in one.groups)

    @cached_property
    def drawn(self) -> tuple[Float[np.ndarray, " q"], ...]:
        """Each seed's hits at `depth`, evened so that every direction has the same weight in their mean, the main figure."""
        return tuple(_evened(cell, self.depth) for cell in self.cells)

    @cached_property
    def hits(self) -> Float[np.ndarray, " q"]:
        """`drawn`, the mean over seeds."""
        return np.mean(self.drawn, axis=0)

    @cached_property
    def recall(self) -> float:
        """The main figure: mean over directions of recall at `depth`."""
        return float(self.hits.mean())

    @cached_property
    def interval(self) -> Interval | None:
        """95 % interval of the main figure over groups, for the pairs that these seeds drew."""
        found = of_share(self.hits, self.groups)
        return found and (max(0.0, found[0]), min(1.0, found[1]))

    @property
    def seconds(self) -> float:
        """Mean duration of a fit."""
        return float(np.mean([cell.seconds for cell in self.cells]))

    @property
    def chance(self) -> float:
        """The main figure of a random ranking."""
        return float(np.mean([one.chance(self.depth) for one in self.cells[0].answers.values() if len(one.rank)]))

    def row(self) -> dict[str, Any]:
        """JSON-ready: R@1 and R@10 both ways with their intervals over groups, chance, and the seeds' standard deviation."""
        row: dict[str, Any] = {"modality": self.modality, "method": self.method, "share": self.share, "pairs": self.pairs}
        row["seeds"] = len(self.cells)
        for way, first in self.cells[0].answers.items():
            for k in DEPTHS:
                if k < first.gallery and len(first.rank):
                    hits = np.mean([cell.answers[way].hits(k) for cell in self.cells], axis=0)
                    row[f"{way} R@{k}"] = float(hits.mean())
                    row[f"{way} R@{k} interval"] = of_share(hits, first.groups)
            row[f"{way} chance R@1"] = first.chance(1)
        row[f"mean R@{self.depth}"] = self.recall
        row[f"mean R@{self.depth} interval"] = self.interval
        row[f"chance mean R@{self.depth}"] = self.chance
        row["sd over seeds"] = float(np.std([one.mean() for one in self.drawn], ddof=1)) if len(self.drawn) > 1 else None
        row["seconds"] = self.seconds
        return row


@dataclass(frozen=True, kw_only=True)
class Contrast:
    """What a method has over another on the same pairs, query by query, hits averaged over seeds."""

    modality: str
    pairs: int
    method: str
    other: str
    depth: int
    difference: Difference

    def row(self) -> dict[str, Any]:
        """JSON-ready."""
        told = self.difference
        return {
            "modality": self.modality,
            "pairs": self.pairs,
            "method": self.method,
            "against": self.other,
            f"mean R@{self.depth} difference": told.gain,
            "95 % interval": told.interval,
            "verdict": told.verdict,
        }


@dataclass(frozen=True, kw_only=True)
class Crossing:
    """Between two numbers of pairs one method overtakes another; `certain` if both differences exclude 0."""

    modality: str
    before: str
    after: str
    low: int
    high: int
    about: int
    certain: bool

    @property
    def text(self) -> str:
        """In words."""
        sure = "" if self.certain else " (within what chance can do)"
        return (
            f"{self.modality}: {self.before} is ahead up to {self.low} pairs, {self.after} from {self.high}, "
            f"they cross at about {self.about}{sure}"
        )


def spots(cells: Sequence[Cell]) -> list[Spot]:
    """By modality, method and rising share."""
    ordered = sorted(cells, key=lambda cell: (cell.trial.modality, cell.trial.method, cell.trial.share, cell.trial.seed))
    found = []
    for own, same in groupby(ordered, key=lambda cell: (cell.trial.modality, cell.trial.method, cell.trial.share)):
        found.append(Spot(modality=own[0], method=own[1], share=own[2], cells=tuple(same)))
    return found


def contrasts(found: Sequence[Spot]) -> list[Contrast]:
    """Every two methods on every share, over the seeds that both have."""
    made = []
    for one, other in combinations(found, 2):
        same = one.modality == other.modality and one.share == other.share and one.method != other.method
        common = {cell.trial.seed for cell in one.cells} & {cell.trial.seed for cell in other.cells}
        if same and common and one.groups == other.groups:
            mine, others = (_over(spot, common) for spot in (one, other))
            made.append(
                Contrast(
                    modality=one.modality,
                    pairs=one.pairs,
                    method=one.method,
                    other=other.method,
                    depth=one.depth,
                    difference=paired(mine, others, one.groups),
                )
            )
    return made


def crossings(found: Sequence[Contrast]) -> Iterator[Crossing]:
    """Where the sign of a difference changes from one budget to the next; the place is interpolated on a log scale.

    Budgets at which two methods are equal are passed over.
    """
    apart = [one for one in found if one.difference.gain]
    ordered = sorted(apart, key=lambda one: (one.modality, one.method, one.other, one.pairs))
    for one, two in pairwise(ordered):
        same = (one.modality, one.method, one.other) == (two.modality, two.method, two.other)
        left, right = one.difference.gain, two.difference.gain
        if same and left * right < 0:
            where = np.log(one.pairs) + np.log(two.pairs / one.pairs) * left / (left - right)
            yield Crossing(
                modality=one.modality,
                before=one.method if left > 0 else one.other,
                after=one.other if left > 0 else one.method,
                low=one.pairs,
                high=two.pairs,
                about=round(float(np.exp(where))),
                certain=all(each.difference.verdict in ("better", "worse") for each in (one, two)),
            )


def _over(spot: Spot, seeds: set[int]) -> Float[np.ndarray, " q"]:
    return np.mean([hits for cell, hits in zip(spot.cells, spot.drawn, strict=True) if cell.trial.seed in seeds], axis=0)


def _evened(cell: Cell, depth: int) -> Float[np.ndarray, " q"]:
    """Hits whose mean is the mean of the directions' recalls, about which each direction's deviations are scaled to its weight.

    So a resampled mean varies as the mean of resampled recalls does, to first order (Efron and Tibshirani 1993, section 22.6,
    the influence function): ten class names among a thousand queries keep half the weight however many of them are drawn.
    """
    ways = [one.hits(depth).astype(float) for one in cell.answers.values() if len(one.rank)]
    recalls, total = [float(hits.mean()) for hits in ways], sum(map(len, ways))
    weights = [total / (len(ways) * len(hits)) for hits in ways]
    main = float(np.mean(recalls))
    return np.concatenate([main + weight * (hits - own) for hits, own, weight in zip(ways, recalls, weights, strict=True)])
