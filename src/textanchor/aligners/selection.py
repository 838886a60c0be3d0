"""Choosing by one figure, always on validation pairs: hyperparameters, views and corrections of hubness."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
from torch import nn

from textanchor import registry
from textanchor.errors import LeakError
from textanchor.metrics.retrieval import retrieval, rows_of
from textanchor.projectors import project
from textanchor.records import Choice, Fit, PairedLatents, Setting, Task, Vectors, View
from textanchor.views import as_item, as_query, as_text, item_gallery, text_gallery, view, with_hubness

T = TypeVar("T")
Path = Callable[[PairedLatents, Sequence[Mapping[str, Setting]]], Iterator[nn.Module]]
Branches = Sequence[Sequence[Mapping[str, Setting]]]

VIEWS = ("centring", "canonical", "canonical(power=2.0)")
HUBNESS = ("none", "csls", "dis")
FINALISTS, MANY = 2, 2000  # candidates for which corrections of hubness are tried; items from which paths are cut short


def score(projector: nn.Module, view: View | None, val: PairedLatents) -> float:
    """Mean of item->text reciprocal rank and text->item mAP@10, in [0, 1].

    Both directions count, and neither saturates where recall@1 does: ten class names make only ten text queries.
    """
    return rated(project(projector, val.inputs), view, val)


def rated(raw: Vectors, view: View | None, val: PairedLatents) -> float:
    """`score` of raw vectors of the validation items."""
    items, texts = as_item(view, raw), as_text(view, val.anchors)
    there = retrieval(as_query(view, items), text_gallery(view, texts), rows_of(val.relevant))
    back = retrieval(as_query(view, texts), item_gallery(view, items), rows_of(val.relevant.T.tocsr()))
    return ((there.reciprocal_rank or 0.0) + (back.mean_average_precision or 0.0)) / 2


def best(candidates: Iterable[T], rate: Callable[[T], float]) -> tuple[T, float]:
    """The candidate of the highest rate; the earlier one of equals, so order candidates from simple to complex."""
    ratings = [(rate(candidate), candidate) for candidate in candidates]
    top = max(ratings, key=lambda entry: entry[0])
    return top[1], top[0]


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

    def made(self, projector: nn.Module, pairs: PairedLatents, task: Task) -> View:
        """The view on these training pairs; texts of other modalities count for its statistics."""
        return self.on(project(projector, pairs.inputs), pairs, task)

    def on(self, raw: Vectors, pairs: PairedLatents, task: Task) -> View:
        """The view for raw vectors of the training items."""
        anchors = pairs.anchors if task.view_texts is None else np.concatenate([pairs.anchors, task.view_texts])
        plain = view(self.view, anchors=anchors, items=raw, targets=pairs.targets)
        return with_hubness(plain, self.hubness, items=raw, anchors=pairs.anchors, seed=task.seed)


@dataclass(frozen=True, kw_only=True)
class Selected:
    """The best of some candidates on validation: its settings, how it is compared, its score, and that under plain centring."""

    settings: Mapping[str, Setting]
    comparison: Comparison
    score: float
    centred: float


def apart(train: PairedLatents, val: PairedLatents | None) -> None:
    """Raise `LeakError` if validation items were trained on: what is chosen so is what remembers best."""
    if val is not None and (both := set(train.items.contents) & set(val.items.contents)):
        raise LeakError(f"{len(both)} validation items are training items too; choose on items that were not fitted")


def select(path: Path, branches: Branches, comparison: Comparison, task: Task, val: PairedLatents) -> Selected:
    """Every candidate under every view; then every correction of hubness for the two best.

    Branches lead away from the default, which comes first and wins among equals. With many items, where a solution takes
    seconds, a branch is left at its first candidate that is worse, and the next is walked only if this one brought nothing.
    Raises `LeakError` for validation items that were trained on.
    """
    train = task.train
    apart(train, val)
    tried: list[tuple[float, Mapping[str, Setting], Comparison, Vectors, Vectors]] = []
    for branch in branches:
        rates: list[float] = []
        for settings, projector in zip(branch, path(train, branch), strict=True):
            known, unknown = project(projector, train.inputs), project(projector, val.inputs)
            rates.append(-1.0)
            for name in comparison.views:
                how = Comparison(view=name, hubness=comparison.corrections[0])
                rate = rated(unknown, how.on(known, train, task), val)
                rates[-1] = max(rates[-1], rate)
                tried.append((rate, settings, how, known, unknown))
            tried = sorted(tried, key=lambda entry: -entry[0])[:FINALISTS]
            if len(train.items) > MANY and rates[-1] < max(rates):
                break
        if len(train.items) > MANY and max(rates) > rates[0]:
            break
    finals = []
    for rate, settings, first, known, unknown in tried:
        for name in comparison.corrections:
            how = replace(first, hubness=name)
            here = rate if how == first else rated(unknown, how.on(known, train, task), val)
            finals.append((here, settings, how, known, unknown))
    top, settings, how, known, unknown = max(finals, key=lambda entry: entry[0])
    centred = rated(unknown, Comparison().on(known, train, task), val)
    return Selected(settings=settings, comparison=how, score=top, centred=centred)


def away_from(default: float, values: Iterable[float]) -> list[list[float]]:
    """Two branches: the default and what is above it, and what is below it, each leading away."""
    up = sorted(value for value in values if value > default)
    down = sorted((value for value in values if value < default), reverse=True)
    return [[default, *up], *([down] if down else [])]


def closed_form(path: Path, branches: Branches, comparison: Comparison, task: Task) -> Fit:
    """Choose from `branches` and `comparison` on validation, then solve for the pairs that the task has in the end.

    `path(pairs, points)` yields the projector of each point. Without validation the first point is taken and said to be.
    """
    if task.val is None:
        first = comparison.first
        choice = Choice(settings=branches[0][0], view=first.view, hubness=first.hubness)
    else:
        found = select(path, branches, comparison, task, task.val)
        chosen = sum(map(len, branches)) > 1 or comparison != comparison.first
        choice = Choice(
            settings=found.settings,
            view=found.comparison.view,
            hubness=found.comparison.hubness,
            chosen_on="validation" if chosen else "default",
            score=found.score,
            centred_score=found.centred,
        )
    return solved(path, choice, task)


def solved(path: Path, choice: Choice, task: Task) -> Fit:
    """The projector and the view of a choice, on the pairs that the task has in the end."""
    pairs = task.fitted
    projector = next(path(pairs, [choice.settings]))
    comparison = Comparison(view=choice.view, hubness=choice.hubness)
    return Fit(projector=projector, view=comparison.made(projector, pairs, task), choice=choice)
