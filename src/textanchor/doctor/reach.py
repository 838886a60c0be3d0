"""What simple fits reach on validation, with intervals, and whether a network adds anything."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from textanchor.aligners import aligner
from textanchor.aligners.selection import score
from textanchor.evaluation.tables import verdict
from textanchor.metrics.interval import bootstrap
from textanchor.metrics.retrieval import retrieval, rows_of
from textanchor.projectors import project
from textanchor.records import Fit, PairedLatents, Task
from textanchor.views import naming

CLOSED = ("ridge", "ridge(view=auto, hubness=auto)", "kernel-ridge(view=auto, hubness=auto)")
MANY = 2000  # items from which kernel ridge takes as many random landmarks, to be quick
NETWORK = "gradient(loss={}, projector=mlp(dropout=0.3), epochs=12)"


@dataclass(frozen=True, kw_only=True)
class Reached:
    """One fit on train, judged on validation: recall@1 of naming items, with its interval, and the hits behind it."""

    name: str
    fit: Fit
    score: float
    recall: float
    interval: tuple[float, float] | None
    hits: np.ndarray


def reached(spec: str, train: PairedLatents, val: PairedLatents, *, seed: int) -> Reached:
    """Fit on train alone and judge on validation, where it also chose; so a little too good."""
    fit = aligner(spec).fit(Task(train=train, val=val, seed=seed, refit=False))
    hits = hits_of(fit, val)
    rate = score(fit.projector, fit.view, val)
    return Reached(name=spec, fit=fit, score=rate, recall=float(hits.mean()), interval=bootstrap(hits, val.groups), hits=hits)


def hits_of(fit: Fit, val: PairedLatents) -> np.ndarray:
    """Whether each validation item's best text is one of its own."""
    items, texts = naming(fit.view, project(fit.projector, val.inputs), val.anchors)
    return np.asarray(retrieval(items, texts, rows_of(val.relevant)).rank < 1)


def compared(train: PairedLatents, val: PairedLatents, *, seed: int) -> tuple[list[Reached], str]:
    """Closed forms and one network, and in a sentence what the network adds to the best closed form."""
    kernel = CLOSED[2].replace("(", f"(landmarks={MANY}, ") if len(train.items) > MANY else CLOSED[2]
    repeats = 2 * len(train.texts) <= len(train.edges)
    loss = "bank" if repeats else "info-nce"
    found = [reached(spec, train, val, seed=seed) for spec in (*CLOSED[:2], kernel, NETWORK.format(loss))]
    return found, network_verdict(found[:-1], found[-1], val.groups)


def network_verdict(closed: Sequence[Reached], network: Reached, groups: Sequence[str]) -> str:
    """Whether the network is better than the best closed form by validation score, paired by item."""
    top = max(closed, key=lambda one: one.score)
    gain = network.hits.astype(float) - top.hits
    interval = bootstrap(gain, groups)
    said = verdict(gain, interval)
    shown = f"{gain.mean():+.3f} R@1" + (f" [{interval[0]:+.3f}, {interval[1]:+.3f}]" if interval else "")
    ends = {
        "better": f"an MLP adds to {top.name}: {shown}",
        "worse": f"an MLP is worse than {top.name}: {shown}; stay with the closed form",
        "equal": f"an MLP adds nothing over {top.name}: the same hits",
        "cannot tell": f"an MLP adds nothing that can be told over {top.name}: {shown}",
    }
    return ends[said]
