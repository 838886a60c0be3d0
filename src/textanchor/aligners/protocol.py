"""What an aligner is, and how one is had by name."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Protocol, runtime_checkable

from textanchor import registry
from textanchor.records import Fit, Task


@runtime_checkable
class Aligner(Protocol):
    """A way of fitting. Hyperparameters are chosen on the task's validation pairs, or left at their defaults where it has none.

    `choice.score` is the chosen values' validation score, of the fit on the training pairs alone.
    """

    @property
    def ragged(self) -> bool:
        """Whether token latents are accepted."""

    def fit(self, task: Task) -> Fit:
        """A projector from latents to raw anchor space, the view it was fitted for, and what was chosen.

        With `task.refit` what is returned was fitted on train and validation pairs with the values chosen; without it on
        training pairs alone, so that validation pairs can still judge it.
        """


@runtime_checkable
class Repeatable(Protocol):
    """An aligner that fits a choice again without choosing again."""

    def again(self, fit: Fit, task: Task) -> Fit:
        """What was chosen, fitted on all the pairs that the task has in the end."""


class Asked:
    """An aligner under the spec by which it was asked for, which its choices carry."""

    def __init__(self, inner: Aligner, spec: str) -> None:
        self.inner, self.spec, self.ragged = inner, spec, inner.ragged
        self.by_names = bool(
            getattr(inner, "by_names", False)
        )  # whether it looks at `Task.named`, which costs something to make
        self.without_unpaired: str | None = getattr(inner, "without_unpaired", None)  # the aligner that it then is

    def fit(self, task: Task) -> Fit:
        """The aligner's own fit."""
        return self._named(self.inner.fit(task))

    def again(self, fit: Fit, task: Task) -> Fit:
        """The same choice on all pairs; the whole fit once more where the aligner cannot do less."""
        return self._named(self.inner.again(fit, task)) if isinstance(self.inner, Repeatable) else self.fit(task)

    def _named(self, fit: Fit) -> Fit:
        return fit if fit.choice.aligner else replace(fit, choice=replace(fit.choice, aligner=self.spec))


def aligner(spec: str, **settings: Any) -> Asked:
    """An aligner by name and settings, such as `ridge` or `gradient(loss=info-nce, epochs=40)`.

    Raises `UnknownNameError`, or `InputError` for settings it does not have.
    """
    inner: Aligner = registry.part("aligner", spec, **settings)
    name, given = registry.take_apart(spec)
    return Asked(inner, registry.spelled(name, {**settings, **given}) if settings else spec)
