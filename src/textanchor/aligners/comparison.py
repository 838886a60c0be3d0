"""How an aligner's vectors are compared, and the training items from which views take their statistics."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Int
from torch import nn

from textanchor import registry
from textanchor.projectors import project
from textanchor.records import PairedLatents, Task, Vectors, View
from textanchor.views import view, with_hubness

VIEWS = ("centring", "canonical", "canonical(power=2.0)")
HUBNESS = ("none", "csls", "dis")
STATISTICS = 20_000  # training items from which a view's statistics are taken, at most


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """How an aligner's vectors are to be compared: a view and a correction of hubness by name, or `auto` for a choice."""

    view: str = "centring"
    hubness: str = "none"

    def __post_init__(self) -> None:
        """Raises `UnknownNameError` or `InputError` now, before anything is fitted."""
        if self.view != "auto":
            registry.bind("view", self.view, anchors=None, items=None, targets=None)
        if self.hubness not in ("auto", "none"):
            registry.bind("hubness", self.hubness, gallery=None, bank=None)

    @property
    def views(self) -> tuple[str, ...]:
        """Views to choose from, simple ones first."""
        return VIEWS if self.view == "auto" else (self.view,)

    @property
    def corrections(self) -> tuple[str, ...]:
        """Corrections to choose from, none first."""
        return HUBNESS if self.hubness == "auto" else (self.hubness,)

    @property
    def first(self) -> Comparison:
        """What is taken where nothing can be chosen."""
        return Comparison(view=self.views[0], hubness=self.corrections[0])


class Statistics:
    """What views of some training pairs are made from: all distinct texts, and the items or a random 20,000 of them.

    Texts of other modalities count for the views' statistics and for nothing else.
    """

    def __init__(self, pairs: PairedLatents, task: Task) -> None:
        self.items = some(pairs, STATISTICS, seed=task.seed)
        self.own = pairs.anchors
        self.anchors = self.own if task.view_texts is None else np.concatenate([self.own, task.view_texts])
        self.seed = task.seed

    def projected(self, projector: nn.Module) -> Vectors:
        """Raw vectors of the items."""
        return project(projector, self.items.inputs)

    def view(self, comparison: Comparison, raw: Vectors) -> View:
        """The view for raw vectors of the items, with its correction of hubness."""
        plain = view(comparison.view, anchors=self.anchors, items=raw, targets=self.items.targets)
        return with_hubness(plain, comparison.hubness, items=raw, anchors=self.own, seed=self.seed)


def some(pairs: PairedLatents, limit: int, *, seed: int) -> PairedLatents:
    """The pairs of `limit` random items; the very pairs where there are no more."""
    return pairs if len(pairs.items) <= limit else pairs.take(drawn(len(pairs.items), limit, seed=seed))


def drawn(total: int, limit: int, *, seed: int | np.random.Generator) -> Int[np.ndarray, " m"]:
    """At most `limit` random rows of `total`, in order."""
    return np.sort(np.random.default_rng(seed).permutation(total)[:limit])
