"""What labelling would have cost: a labelled set is labelled once more, by each strategy, from nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Int

from textanchor import registry
from textanchor.errors import InputError
from textanchor.labelling.asking import Strategy
from textanchor.labelling.choosing import choose
from textanchor.labelling.curves import Curve, Simulation
from textanchor.labelling.pool import Labelled, Pool, Probabilities, Rows
from textanchor.labelling.proposers import Proposer
from textanchor.progress import Bar, Progress, Silent

STRATEGIES = ("random", "spread-then-margin")
SHARES = tuple(round(0.02 * step, 2) for step in range(1, 11))
FOLDS = 5


@dataclass(frozen=True, kw_only=True)
class Replay:
    """How labelling is replayed: after which `shares` of the items proposals are made anew, how often, by which proposer.

    `drawn` is the share of each batch that is drawn at random, `proposers` those of which out-of-fold accuracy chooses. Each
    seed leaves out another random part of the items (`left_out`, whole units): some strategies have no chance in them, and
    would tell no spread.
    """

    shares: Sequence[float] = SHARES
    seeds: int = 5
    drawn: float = 0.0
    proposers: Sequence[str] = ()
    left_out: float = 0.1


def simulate(
    pool: Pool,
    truth: Int[np.ndarray, " n"],
    strategies: Sequence[str] = STRATEGIES,
    *,
    replay: Replay | None = None,
    progress: Progress | None = None,
) -> Simulation:
    """Cost curves of some strategies, of which `random` is always one, on a pool whose classes are all known.

    After each batch of labels a proposer is chosen anew by the labels alone, and judged on the rest: items whose unit
    (`Pool.units`: group or content) has no label. Nothing of the rest chooses anything. Raises `InputError` for shares that do
    not rise within ]0, 1[, no seed, or too few items.
    """
    told = replay or Replay()
    items = round((1 - told.left_out) * len(pool))
    sizes = _sizes(items, told)
    names = tuple(dict.fromkeys(("random", *strategies)))
    curves = []
    with (progress or Silent()).bar("simulating", total=len(names) * told.seeds * len(sizes), unit="round") as bar:
        for name in names:
            runs = []
            for seed in range(told.seeds):
                kept = _kept(pool, items, seed)
                run = Run(pool.taken(kept), np.asarray(truth)[kept], registry.part("strategy", name), told, seed)
                runs.append(list(run.through(sizes, bar)))
            curves.append(_curve(name, sizes, runs))
    return Simulation(items=items, classes=len(pool.classes), seeds=told.seeds, drawn=told.drawn, curves=tuple(curves))


def _kept(pool: Pool, items: int, seed: int) -> Rows:
    """Rows of units in random order until there are so many."""
    units, code, sizes = np.unique(pool.units, return_inverse=True, return_counts=True)
    order = np.random.default_rng(seed).permutation(len(units))
    enough = int(np.searchsorted(np.cumsum(sizes[order]), items)) + 1
    return np.flatnonzero(np.isin(code, order[:enough]))


def _sizes(items: int, told: Replay) -> list[int]:
    sizes = [max(1, round(share * items)) for share in told.shares]
    rising = all(one < other for one, other in zip([0, *sizes], sizes, strict=False))
    fine = told.seeds >= 1 and 0 <= told.drawn <= 1 and 0 <= told.left_out < 1
    if not sizes or not rising or sizes[-1] >= items or not fine:
        raise InputError(
            f"shares {', '.join(map(str, told.shares))} of {items} items, {told.seeds} seeds, {told.drawn} drawn, "
            f"{told.left_out} left out: expected shares above 0 and below 1 that rise by at least an item each, at least one "
            "seed, a drawn share from 0 to 1, and less than all left out"
        )
    return sizes


@dataclass(frozen=True)
class Moment:
    """How things stand after a batch: shares right among the rest and of all items, and classes that have a label."""

    rest: float
    whole: float
    classes: int


class Run:
    """One labelling from nothing, by one strategy and seed."""

    def __init__(self, pool: Pool, truth: Int[np.ndarray, " n"], strategy: Strategy, told: Replay, seed: int) -> None:
        self._pool, self._truth, self._strategy, self._told, self._seed = pool, truth, strategy, told, seed
        self._rows: Rows = np.empty(0, dtype=np.int64)
        self._drawn: Bool[np.ndarray, " m"] = np.empty(0, dtype=bool)
        self._proposals: Probabilities | None = pool.by_names
        self._random: Strategy = registry.part("strategy", "random")

    @property
    def labelled(self) -> Labelled:
        """What has been labelled by now."""
        return Labelled(rows=self._rows, classes=self._truth[self._rows], drawn=self._drawn)

    def through(self, sizes: Sequence[int], bar: Bar) -> Iterator[Moment]:
        """One moment a size."""
        for size in sizes:
            yield self.to(size)
            bar.advance()

    def to(self, size: int) -> Moment:
        """Label up to that many items and propose the rest."""
        more = size - len(self._rows)
        self._take(self._random, round(more * self._told.drawn), drawn=True)
        informed = not self._strategy.by_proposals or self._proposals is not None
        chosen = self._strategy if informed else self._random
        self._take(chosen, size - len(self._rows), drawn=chosen.name == "random")
        self._take(self._random, size - len(self._rows), drawn=True)  # where nothing but near-duplicates is left
        proposals = self._proposer().propose(self._pool, self.labelled, seed=self._seed)
        self._proposals = proposals
        return self._judged(proposals)

    def _take(self, strategy: Strategy, count: int, *, drawn: bool) -> None:
        rows = strategy.ask(self._pool, self.labelled, self._proposals, count, seed=self._seed * 100_003 + len(self._rows))
        self._rows = np.concatenate([self._rows, rows])
        self._drawn = np.concatenate([self._drawn, np.full(len(rows), drawn)])

    def _proposer(self) -> Proposer:
        names = self._told.proposers
        if len(names) == 1:
            alone: Proposer = registry.part("proposer", names[0])
            return alone
        return choose(self._pool, self.labelled, names=names, folds=FOLDS, seed=self._seed).proposer

    def _judged(self, proposals: Probabilities) -> Moment:
        right = proposals.argmax(axis=1) == self._truth
        right[self._rows] = True
        units = self._pool.units
        rest = ~np.isin(units, units[self._rows])
        own = float(right[rest].mean()) if rest.any() else float("nan")
        return Moment(rest=own, whole=float(right.mean()), classes=len(np.unique(self._truth[self._rows])))


def _curve(name: str, sizes: Sequence[int], runs: Sequence[Sequence[Moment]]) -> Curve:
    return Curve(
        strategy=name,
        labels=np.asarray(sizes),
        rest=np.array([[one.rest for one in run] for run in runs]),
        whole=np.array([[one.whole for one in run] for run in runs]),
        classes=np.array([[one.classes for one in run] for run in runs]),
    )
