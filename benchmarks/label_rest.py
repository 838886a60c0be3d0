"""The 20/80 test of labelling: `python benchmarks/label_rest.py [--splits 20] [--sets esc caltech]`.

A fifth of each set of `label_sets` is labelled at random (whole sources for esc-by-source), everything else is judged.
Of each proposer the accuracy on the rest, and the share that an oracle could let through at 5 % errors by its scores; then what
`choose` took. What each form of the guarantee lets through: `promises.py`.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from label_sets import LabelSet, best_share, label_set, unseen

from textanchor import registry
from textanchor.labelling.choosing import choose
from textanchor.labelling.pool import Labelled
from textanchor.labelling.proposers import Proposer

SETS = ("esc", "esc-by-source", "caltech", "fsdd", "mnist")
BUDGET = 0.05
ROWS = (
    "logistic(smoothed=false)",
    "logistic",
    "kernel-ridge(smoothed=false)",
    "kernel-ridge",
    "spreading",
    "ensemble",
    "name-shots",
    "em(voices=1, seen=1, smoothed=false)",
    "em(voices=1, seen=1)",
    "em",
    "ensemble(a=em, b=kernel-ridge)",
)


def main() -> None:
    """Print the table."""
    told = argparse.ArgumentParser(description=__doc__)
    told.add_argument("--sets", nargs="+", choices=SETS, default=SETS)
    told.add_argument("--splits", type=int, default=20)
    told.add_argument("--no-names", action="store_true", help="The classes' names are not known.")
    asked = told.parse_args()
    sets = [label_set(name) for name in asked.sets]
    if asked.no_names:
        sets = [replace(one, pool=replace(one.pool, texts=None)) for one in sets]
    accuracies(sets, asked.splits)


def accuracies(sets: list[LabelSet], splits: int) -> None:
    """A line a proposer: accuracy and its sd over splits, and the oracle's share."""
    print(f"| proposer | {' | '.join(one.name for one in sets)} |\n|---|{'---|' * len(sets)}", flush=True)
    for spec in ROWS:
        print(f"| {spec} | {' | '.join(_cell(one, splits, spec) for one in sets)} |", flush=True)
    cells, took = [], []
    for one in sets:
        found = [_chosen(one, known, seed) for seed, known in enumerate(labelled(one, splits))]
        cells.append(_figures([judged for _, judged in found]))
        took.append(", ".join(f"{name} {count}" for name, count in Counter(name for name, _ in found).most_common()))
    print(f"| **chosen out of fold** | {' | '.join(cells)} |\n| which | {' | '.join(took)} |", flush=True)


def labelled(given: LabelSet, splits: int) -> Iterator[Labelled]:
    """A fifth of the items, at random, a split a seed."""
    return map(given.known, given.splits(count=splits))


@dataclass(frozen=True, kw_only=True)
class Judged:
    """On the rest: share right, and the largest share of the surest of which at most the budget is wrong."""

    accuracy: float
    oracle: float


def judged(given: LabelSet, known: Labelled, proposer: Proposer, seed: int) -> Judged:
    """One split."""
    rest = unseen(given, known.rows)
    found = proposer.propose(given.pool, known, seed=seed)[rest]
    right = found.argmax(axis=1) == given.truth[rest]
    return Judged(accuracy=float(right.mean()), oracle=best_share(found.max(axis=1), ~right, BUDGET))


def _cell(given: LabelSet, splits: int, spec: str) -> str:
    proposer = registry.part("proposer", spec)
    return _figures([judged(given, known, proposer, seed) for seed, known in enumerate(labelled(given, splits))])


def _chosen(given: LabelSet, known: Labelled, seed: int) -> tuple[str, Judged]:
    chosen = choose(given.pool, known, seed=seed)
    return chosen.name, judged(given, known, chosen.proposer, seed)


def _figures(found: list[Judged]) -> str:
    accuracy = np.array([one.accuracy for one in found])
    return f"{accuracy.mean():.3f} ± {accuracy.std():.3f} / {np.mean([one.oracle for one in found]):.3f}"


if __name__ == "__main__":
    main()
