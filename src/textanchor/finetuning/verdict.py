"""Was it worth it: the tuned encoder beside the frozen one on items that neither has seen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from textanchor.aligners.ridge import Ridge
from textanchor.aligners.selection import named
from textanchor.judging.differences import Difference, paired
from textanchor.metrics.interval import Interval, of_share
from textanchor.pretraining.verdict import Judged, says
from textanchor.projectors import project
from textanchor.records import PairedLatents
from textanchor.space.preparing import Sides


@dataclass(frozen=True, kw_only=True)
class Found:
    """How many test items find one of their texts first, after an ordinary closed form on an encoder's latents.

    `gain` is that of the tuned encoder over this one, item by item, None for itself.
    """

    encoder: str
    recall: float
    interval: Interval | None
    gain: Difference | None


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """Of the test side: naming by text, of the tuned encoder and the frozen one, and linear probes where texts are classes."""

    found: tuple[Found, ...] = ()
    probes: tuple[Judged, ...] = ()

    @property
    def lines(self) -> list[str]:
        """In sentences, what is worse first."""
        if not self.found:
            return ["nothing was judged: there is no test side"]
        own, frozen = self.found
        assert frozen.gain is not None
        told = f"R@1 {own.recall:.3f} against {frozen.recall:.3f} ({frozen.gain.size})"
        first = f"{frozen.gain.compared} {frozen.encoder} at finding texts: {told}"
        lines = [(frozen.gain.verdict != "worse", first)]
        own_rows = zip(says(self.probes), dict.fromkeys(row.share for row in self.probes), strict=True)
        worse = {row.share for row in self.probes if row.gain is not None and row.gain.verdict == "worse"}
        lines += [(share not in worse, f"linear probe {line}") for line, share in own_rows]
        return [line for _, line in sorted(lines, key=lambda one: one[0])]


def found(sides: Mapping[str, Sides], *, device: str, seed: int) -> tuple[Found, ...]:
    """A row an encoder, the tuned one first; items that one of them cannot read count for none."""
    common = set.intersection(*(set(one.pairs["test"].items.ids) for one in sides.values()))
    hits: dict[str, np.ndarray] = {}
    groups: Sequence[str] = ()
    for name, one in sides.items():
        test = one.pairs["test"]
        test = test.take(np.asarray([row for row, item in enumerate(test.items.ids) if item in common], dtype=np.int64))
        hits[name], groups = _hits(one, test, device=device, seed=seed), test.groups
    first = next(iter(hits.values()))
    return tuple(
        Found(
            encoder=name,
            recall=float(own.mean()),
            interval=of_share(own, groups),
            gain=None if own is first else paired(first, own, groups),
        )
        for name, own in hits.items()
    )


def _hits(sides: Sides, test: PairedLatents, *, device: str, seed: int) -> np.ndarray:
    """By test item."""
    fit = Ridge().fit(sides.task(device=device, seed=seed))
    return np.asarray(named(fit.view, project(fit.projector, test.inputs), test).rank < 1)
