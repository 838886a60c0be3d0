"""One fit on a share of the pairs, judged on pairs that no fit has seen; kept in a folder and found again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Bool, Int

from textanchor.budgeting.plan import Trial
from textanchor.config import versions
from textanchor.errors import DamagedError
from textanchor.files import digest, read_json, write_json
from textanchor.judging import judge, trial
from textanchor.metrics.retrieval import by_chance
from textanchor.records import Choice, PairedLatents
from textanchor.records.showing import short
from textanchor.space.preparing import Sides
from textanchor.space.thinning import thinned, with_own_validation


@dataclass(frozen=True, kw_only=True)
class Answers:
    """Queries of one direction: how many wrong answers stand before the first right one, how many are right, each query's
    group, and the size of the gallery."""

    __repr__ = short

    rank: Int[np.ndarray, " q"]
    relevant: Int[np.ndarray, " q"]
    groups: tuple[str, ...]
    gallery: int

    def hits(self, k: int) -> Bool[np.ndarray, " q"]:
        """Whether a right answer is among the first k."""
        return np.asarray(self.rank < k)

    def chance(self, k: int) -> float:
        """Recall at k of a random ranking."""
        return by_chance(self.relevant, self.gallery, k)

    def described(self) -> dict[str, Any]:
        """JSON-ready."""
        return {**vars(self), "rank": self.rank.tolist(), "relevant": self.relevant.tolist()}

    @classmethod
    def read(cls, told: Mapping[str, Any]) -> Answers:
        """From `described`'s values."""
        arrays = {name: np.array(told[name], dtype=np.int64) for name in ("rank", "relevant")}
        return cls(**{**told, **arrays, "groups": tuple(told["groups"])})


@dataclass(frozen=True, kw_only=True)
class Cell:
    """A trial's answers by direction, the number of pairs it had (items with their texts), and what it chose."""

    __repr__ = short

    trial: Trial
    pairs: int
    seconds: float
    answers: Mapping[str, Answers]
    chosen: Choice

    def described(self) -> dict[str, Any]:
        """JSON-ready."""
        return {
            "trial": vars(self.trial),
            "pairs": self.pairs,
            "seconds": self.seconds,
            "answers": {way: one.described() for way, one in self.answers.items()},
            "chosen": self.chosen.described(),
            "versions": versions(),
        }

    @classmethod
    def read(cls, told: Mapping[str, Any]) -> Cell:
        """From `described`'s values. Raises what missing or wrong ones raise."""
        return cls(
            trial=Trial(**told["trial"]),
            pairs=told["pairs"],
            seconds=told["seconds"],
            answers={way: Answers.read(one) for way, one in told["answers"].items()},
            chosen=Choice.read(told["chosen"]),
        )


def measured(asked: Trial, sides: Sides, judged: PairedLatents, *, device: str) -> Cell:
    """Fit on the share, a fifth of which chooses all values before all of it is fitted, and judge.

    The other pairs' items and texts stay as unpaired data. Raises `InputError` for a share too small to choose on, and what the
    aligner raises.
    """
    few = with_own_validation(thinned(sides, asked.share, asked.seed), seed=asked.seed)
    outcome = trial(asked.method, {asked.modality: few.task(device=device, seed=asked.seed)})
    rankings = judge(outcome.geometry, {asked.modality: judged}).alignment
    return Cell(
        trial=asked,
        pairs=len(few.train.items) + len(few.val.items),
        seconds=outcome.seconds,
        answers={
            one.name: Answers(
                rank=one.retrieval.rank,
                relevant=one.retrieval.relevant,
                groups=one.groups,
                gallery=one.retrieval.gallery,
            )
            for one in rankings
        },
        chosen=replace(outcome.fits[asked.modality].choice, unseen=None),
    )


def key(asked: Trial, conditions: str) -> str:
    """Hash of everything that decides a cell; `conditions` is that of data, split, encoders, wording and version."""
    return digest(conditions, asked.modality, asked.method, repr(asked.share), str(asked.seed))[:16]


def stored(folder: Path, name: str) -> Cell | None:
    """A cell that the folder holds; None if it has none or one that cannot be read."""
    place = _place(folder, name)
    if not place.is_file():
        return None
    try:
        return Cell.read(read_json(place))
    except (DamagedError, KeyError, TypeError, ValueError, AttributeError):
        return None


def store(folder: Path, name: str, cell: Cell) -> None:
    """Write a cell whole or not at all."""
    write_json(_place(folder, name), cell.described())


def _place(folder: Path, name: str) -> Path:
    return folder / "cells" / f"{name}.json"
