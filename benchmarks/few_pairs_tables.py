"""The tables of `few_pairs.py`, from the cells that its folder holds."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from textanchor.metrics.interval import bootstrap

WAYS = ("image->text", "text->image")
CELLS = tuple[str, float]  # a method and a share
AGAINST = ("matched control: bank of all data, no rounds", "kernel CCA, pairs only", "VSE++")


@dataclass(frozen=True, kw_only=True)
class Cell:
    """A method's seeds at a share: places of first right answers by direction [seeds, queries], and the queries' photos."""

    pairs: int
    seconds: float
    ranks: Mapping[str, np.ndarray]
    groups: Mapping[str, Sequence[str]]

    def recall(self, way: str, k: int) -> float:
        """In percent, mean over seeds."""
        return float(100 * (self.ranks[way] < k).mean())

    def spread(self, k: int = 10) -> float:
        """Standard deviation over seeds of the mean of both directions."""
        both = np.mean([(self.ranks[way] < k).mean(axis=1) for way in WAYS], axis=0)
        return float(100 * both.std(ddof=1)) if len(both) > 1 else 0.0

    def by_photo(self, photos: Sequence[str], k: int = 10) -> np.ndarray:
        """What each photo adds to the mean recall at k of both directions, times the number of photos; mean over seeds."""
        total = np.zeros(len(photos))
        place = {photo: row for row, photo in enumerate(photos)}
        for way in WAYS:
            rows = np.array([place[photo] for photo in self.groups[way]])
            hits = (self.ranks[way] < k).mean(axis=0)
            total += np.bincount(rows, hits, len(photos)) * len(photos) / len(rows) / 2
        return 100 * total


def printed(folder: Path, methods: Sequence[str], shares: Sequence[float]) -> None:
    """Recall by method and share, then paired differences, then what is kept of each method's own best."""
    cells, failed = read(folder)
    print("| method | " + " | ".join(f"{100 * share:g} %" for share in shares) + " |\n|" + "---|" * (len(shares) + 1))
    for name in methods:
        own = [cells.get((name, share)) for share in shares]
        if any(own):
            print(f"| {name} | " + " | ".join(shown(cell) for cell in own) + " |")
    for line in failed:
        print(f"\n{line}")
    print("\nMean R@10 of both directions (standard deviation over seeds), seconds a fit at the largest share:\n")
    print("| method | " + " | ".join(f"{100 * share:g} %" for share in shares) + " | seconds |\n|" + "---|" * (len(shares) + 2))
    for name in methods:
        own = [cells.get((name, share)) for share in shares]
        if any(own):
            seconds = next(cell.seconds for cell in own if cell)
            print(f"| {name} | " + " | ".join(middle(cell) for cell in own) + f" | {seconds:.0f} |")
    for other in AGAINST:
        differences(cells, methods, shares, other)
    kept(cells, methods, shares)


def read(folder: Path) -> tuple[dict[CELLS, Cell], list[str]]:
    """Cells of all seeds together, and what could not be fitted."""
    by_cell: dict[CELLS, list[Any]] = {}
    failed = []
    for place in sorted(folder.glob("*.json")):
        if place.name.endswith(".trials.json"):
            continue
        told = json.loads(place.read_text())
        if "failed" in told:
            failed.append(f"{told['method']} at {100 * told['share']:g} %, seed {told['seed']}: {told['failed']}")
        else:
            by_cell.setdefault((told["method"], told["share"]), []).append(told)
    return {key: joined(sorted(held, key=lambda told: told["seed"])) for key, held in by_cell.items()}, failed


def joined(seeds: Sequence[Any]) -> Cell:
    """One cell of its seeds."""
    return Cell(
        pairs=seeds[0]["pairs"],
        seconds=float(np.mean([one["seconds"] for one in seeds])),
        ranks={way: np.array([one["ranks"][way] for one in seeds]) for way in WAYS},
        groups=seeds[0]["groups"],
    )


def shown(cell: Cell | None) -> str:
    """R@1/5/10 there; and back."""
    return "" if cell is None else "; ".join("/".join(f"{cell.recall(way, k):.1f}" for k in (1, 5, 10)) for way in WAYS)


def middle(cell: Cell | None) -> str:
    """Mean R@10 with its spread."""
    return "" if cell is None else f"{np.mean([cell.recall(way, 10) for way in WAYS]):.1f} ({cell.spread():.1f})"


def differences(cells: Mapping[CELLS, Cell], methods: Sequence[str], shares: Sequence[float], other: str) -> None:
    """Gains of mean R@10 over one method, with 95 % intervals over photos, of means over seeds."""
    print(f"\nMean R@10 minus that of *{other}*, 95 % interval over photos:\n")
    print("| method | " + " | ".join(f"{100 * share:g} %" for share in shares) + " |\n|" + "---|" * (len(shares) + 1))
    for name in methods:
        told = [gain(cells.get((name, share)), cells.get((other, share))) for share in shares]
        if name != other and any(told):
            print(f"| {name} | " + " | ".join(told) + " |")


def gain(mine: Cell | None, other: Cell | None) -> str:
    """The paired difference and its interval."""
    if mine is None or other is None:
        return ""
    photos = sorted({group for way in WAYS for group in mine.groups[way]})  # a caption of two photos stands for itself
    difference = mine.by_photo(photos) - other.by_photo(photos)
    return f"{difference.mean():+.1f} {brackets(bootstrap(difference, photos))}"


def kept(cells: Mapping[CELLS, Cell], methods: Sequence[str], shares: Sequence[float]) -> None:
    """R@10 in percent of the same method's with all pairs, both ways."""
    print("\nR@10 kept of the same method's own at 100 %, image→text / text→image:\n")
    print("| method | " + " | ".join(f"{100 * share:g} %" for share in shares[1:]) + " |\n|" + "---|" * len(shares))
    for name in methods:
        full = cells.get((name, shares[0]))
        told = [ratio(cells.get((name, share)), full) for share in shares[1:]]
        if any(told):
            print(f"| {name} | " + " | ".join(told) + " |")


def ratio(cell: Cell | None, full: Cell | None) -> str:
    """Both directions."""
    if cell is None or full is None:
        return ""
    return " / ".join(f"{100 * cell.recall(way, 10) / full.recall(way, 10):.0f}" for way in WAYS)


def brackets(held: tuple[float, float] | None) -> str:
    """An interval."""
    return f"[{held[0]:+.1f}, {held[1]:+.1f}]" if held else ""
