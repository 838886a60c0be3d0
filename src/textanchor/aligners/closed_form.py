"""What every closed form does: choose on validation, then solve for all pairs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Protocol, runtime_checkable

from torch import nn

from textanchor import registry
from textanchor.aligners.comparison import Comparison, Statistics
from textanchor.aligners.naming import naming
from textanchor.aligners.protocol import aligner
from textanchor.aligners.selection import Branches, Path, Point, Selection, Tried, softness, unseen
from textanchor.errors import InputError
from textanchor.records import Choice, Fit, PairedLatents, Task


@runtime_checkable
class ClosedForm(Protocol):
    """An aligner whose projectors lie on a grid of values, so that others can walk it with something more on their mind."""

    def path(self, task: Task) -> Path:
        """What yields the projector of each point."""

    def branches(self) -> Branches:
        """Points to choose from, the default first."""


def by_name(spec: str) -> ClosedForm:
    """A closed form as another aligner's base. Raises `InputError` for an aligner that is none."""
    inner = registry.part("aligner", spec)
    if not isinstance(inner, ClosedForm):
        raise InputError(f"'{spec}': expected a closed form, such as ridge, kernel-ridge, procrustes or with-names")
    return inner


class Whole:
    """Any aligner as a closed form with a single point: what it chooses on the task's own pairs it fits to others again."""

    def __init__(self, spec: str) -> None:
        self.spec = spec

    def path(self, task: Task) -> Path:
        """The one projector, of the task's training pairs or of whatever pairs are asked for."""
        inner, own = aligner(self.spec), replace(task, refit=False)
        chosen: list[Fit] = []

        def path(pairs: PairedLatents, points: Sequence[Point]) -> Iterator[nn.Module]:
            if not chosen:
                chosen.append(inner.fit(own))
            fit = chosen[0] if pairs is task.train else inner.again(chosen[0], replace(own, train=pairs, val=None))
            return (fit.projector for _ in points)

        return path

    def branches(self) -> Branches:
        """Nothing to choose from: it has chosen."""
        return [[{}]]


def whole_or_closed(spec: str) -> ClosedForm:
    """A closed form, or any other aligner as one."""
    inner = registry.part("aligner", spec)
    return inner if isinstance(inner, ClosedForm) else Whole(spec)


def closed_form(path: Path, branches: Branches, comparison: Comparison, task: Task) -> Fit:
    """Choose from `branches` and `comparison` on validation, then solve for the pairs that the task has in the end.

    `path(pairs, points)` yields the projector of each point. Without validation the first point is taken and said to be.
    """
    if task.val is None:
        return by_default(path, branches, comparison, task)
    selection = Selection(comparison, task, task.val)
    walked = selection.walk(path, branches)
    searched = sum(map(len, branches)) > 1 or comparison != comparison.first
    return chosen(path, selection, selection.top(walked.finalists), task, searched=searched)


def by_default(path: Path, branches: Branches, comparison: Comparison, task: Task) -> Fit:
    """The first point under the first view."""
    first = comparison.first
    return solved(path, Choice(settings=branches[0][0], view=first.view, hubness=first.hubness), task)


def chosen(path: Path, selection: Selection, top: Tried, task: Task, *, searched: bool) -> Fit:
    """The best candidate: as it was rated, or solved anew for all pairs."""
    view = selection.statistics.view(top.comparison, top.known)
    choice = Choice(
        settings=top.settings,
        view=top.comparison.view,
        hubness=top.comparison.hubness,
        chosen_on="validation" if searched else "default",
        score=top.rate,
        centred_score=selection.centred(top),
        temperature=softness(top.projector, view, selection.val, seed=task.seed),
        naming=naming(top.unknown, view, selection.val),
        unseen=unseen(top.projector, selection.val, seed=task.seed),
        notes=selection.notes,
    )
    if task.refit:
        return solved(path, choice, task)
    return Fit(projector=top.projector, view=view, choice=choice)


def solved(path: Path, choice: Choice, task: Task) -> Fit:
    """The projector and the view of a choice, on the pairs that the task has in the end."""
    pairs = task.fitted
    projector = next(path(pairs, [choice.settings]))
    statistics = Statistics(pairs, task)
    comparison = Comparison(view=choice.view, hubness=choice.hubness)
    return Fit(projector=projector, view=statistics.view(comparison, statistics.projected(projector)), choice=choice)


def noted(fit: Fit, **notes: int) -> Fit:
    """The fit with something more to tell."""
    return replace(fit, choice=replace(fit.choice, notes={**fit.choice.notes, **notes}))
