"""What simple fits reach on validation, with intervals, and whether a network adds anything."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Bool

from textanchor.judging import judge, paired, trial
from textanchor.metrics.interval import of_share
from textanchor.records import Fit
from textanchor.records.showing import short
from textanchor.space.preparing import Sides

CLOSED = ("ridge", "ridge(view=auto, hubness=auto)", "kernel-ridge(view=auto, hubness=auto)")
MANY = 2000  # items from which kernel ridge takes as many random landmarks, to be quick
NETWORK = "gradient(loss={}, projector=mlp(dropout=0.3), epochs=12)"


@dataclass(frozen=True, kw_only=True)
class Reached:
    """One fit on train, judged on validation: recall@1 of naming items, with its interval, and the hits behind it."""

    __repr__ = short

    name: str
    fit: Fit
    score: float
    recall: float
    interval: tuple[float, float] | None
    hits: Bool[np.ndarray, " n"]
    largest_class: float
    macro: float | None

    def row(self) -> dict[str, Any]:
        """Plain figures."""
        mean = {} if self.macro is None else {"macro R@1": self.macro}
        beside = {"R@1 interval": self.interval, **mean, "largest class R@1": self.largest_class}
        return {"aligner": self.name, "score": self.score, "R@1": self.recall, **beside}


def reached(spec: str, sides: Sides, *, device: str = "cpu", seed: int = 0) -> Reached:
    """Fit on train alone and judge on validation, where it also chose; so a little too good."""
    modality, val = sides.train.modality, sides.val
    outcome = trial(spec, {modality: sides.task(device=device, seed=seed, refit=False)})
    figures = judge(outcome.geometry, {modality: val})
    ranking = figures.alignment[0]
    hits = ranking.hits
    return Reached(
        name=spec,
        fit=outcome.fits[modality],
        score=figures.scores[modality],
        recall=float(hits.mean()),
        interval=of_share(hits, val.groups),
        hits=hits,
        largest_class=ranking.retrieval.constant,
        macro=ranking.macro,
    )


def compared(sides: Sides, *, device: str = "cpu", seed: int = 0) -> list[Reached]:
    """Closed forms, and one network behind them."""
    train = sides.train
    kernel = CLOSED[2].replace("(", f"(landmarks={MANY}, ") if len(train.items) > MANY else CLOSED[2]
    repeats = 2 * len(train.texts) <= len(train.edges)
    network = NETWORK.format("bank" if repeats else "info-nce")
    return [reached(spec, sides, device=device, seed=seed) for spec in (*CLOSED[:2], kernel, network)]


def closed_best(fits: Sequence[Reached]) -> Reached:
    """The closed form with the best validation score; the network stands behind them."""
    return max(fits[:-1], key=lambda fit: fit.score)


def network_verdict(closed: Sequence[Reached], network: Reached, groups: Sequence[str]) -> str:
    """Whether the network is better than the best closed form by validation score, paired by item."""
    top = closed_best([*closed, network])
    difference = paired(network.hits, top.hits, groups)
    interval = difference.interval
    shown = f"{difference.gain:+.3f} R@1" + (f" [{interval[0]:+.3f}, {interval[1]:+.3f}]" if interval else "")
    ends = {
        "better": f"an MLP adds to {top.name}: {shown}",
        "worse": f"an MLP is worse than {top.name}: {shown}; stay with the closed form",
        "equal": f"an MLP adds nothing over {top.name}: the same hits",
        "cannot tell": f"an MLP adds nothing that can be told over {top.name}: {shown}",
    }
    return ends[difference.verdict]
