"""Does it beat what was there before: a linear probe on held-out items, from few labels and many, with intervals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from textanchor.judging.differences import Difference, paired
from textanchor.metrics.interval import Interval, of_share
from textanchor.pretraining.probing import Labelled, drawn, linear_probe

SHARES = (0.01, 0.1, 1.0)
SEEDS = 3  # draws of the labels


@dataclass(frozen=True, kw_only=True)
class Judged:
    """An encoder's accuracy on the test side from a share of the training labels, and what the first encoder gains over it.

    `spread` is the standard deviation over draws of the labels, 0 where all are taken; `interval` is over the test's groups.
    `gain` is None for the first itself.
    """

    encoder: str
    share: float
    labels: int
    accuracy: float
    spread: float
    interval: Interval | None
    gain: Difference | None


@dataclass(frozen=True, kw_only=True)
class Encoded:
    """An encoder's latents of the training side and of the test side."""

    train: np.ndarray
    test: np.ndarray


@dataclass(frozen=True, kw_only=True)
class Truth:
    """Classes of both sides, and the test's groups."""

    train: np.ndarray
    test: np.ndarray
    groups: tuple[str, ...]


def judged(encoders: Mapping[str, Encoded], truth: Truth, *, shares: Sequence[float] = SHARES, seed: int = 0) -> list[Judged]:
    """A row an encoder and share, in order; the first encoder is compared with the others, test item by test item."""
    rows = []
    for share in shares:
        hits = {name: _hits(one, truth, share, seed) for name, one in encoders.items()}
        first = next(iter(hits.values()))
        for name, found in hits.items():
            own = found.mean(axis=0)
            rows.append(
                Judged(
                    encoder=name,
                    share=share,
                    labels=len(drawn(truth.train, share, seed=seed)),
                    accuracy=float(own.mean()),
                    spread=float(found.mean(axis=1).std(ddof=1)) if len(found) > 1 else 0.0,
                    interval=of_share(own, truth.groups),
                    gain=None if found is first else paired(first.mean(axis=0), own, truth.groups),
                )
            )
    return rows


def _hits(encoded: Encoded, truth: Truth, share: float, seed: int) -> np.ndarray:
    """Right or not [draws, test], by a probe on each draw of the labels."""
    found = []
    for turn in range(1 if share >= 1 else SEEDS):
        rows = drawn(truth.train, share, seed=seed + turn)
        known = Labelled(latents=encoded.train[rows], classes=truth.train[rows])
        found.append(linear_probe(known, encoded.test, seed=seed) == truth.test)
    return np.asarray(found)


def says(rows: Sequence[Judged]) -> list[str]:
    """A sentence a share."""
    lines = []
    for share in dict.fromkeys(row.share for row in rows):
        own, *others = [row for row in rows if row.share == share]
        told = "; ".join(f"{row.gain.compared} {row.encoder} ({row.gain.size})" for row in others if row.gain is not None)
        lines.append(f"with {own.labels} labels ({share:.0%}): {own.accuracy:.3f}" + (f"; {told}" if told else ""))
    return lines
