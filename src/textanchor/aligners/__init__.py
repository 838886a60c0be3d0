"""Aligners: ways of fitting a projector from pairs of latents and anchor vectors. None of them splits for itself."""

from __future__ import annotations

from typing import Any, Protocol, runtime_checkable

from textanchor import registry
from textanchor.records import Fit, PairedLatents, Unpaired


@runtime_checkable
class Aligner(Protocol):
    """A way of fitting. Hyperparameters are chosen on `val`, or left at their defaults where it is None.

    `report["score"]` is the chosen values' validation score, of the fit on `train` alone. What is returned is then fitted
    on both with those values: validation pairs count as seen.
    """

    ragged: bool
    """Whether token latents are accepted."""

    def fit(self, train: PairedLatents, val: PairedLatents | None, unpaired: Unpaired, *, seed: int, refit: bool = True) -> Fit:
        """A projector from latents to raw anchor space and the view it was fitted for.

        With `refit=False` what is returned was fitted on `train` alone, so that validation pairs can still judge it.
        """


def aligner(spec: str, **settings: Any) -> Aligner:
    """An aligner by name and settings, such as `ridge` or `gradient(loss=info-nce, epochs=40)`.

    Raises `UnknownNameError`, or `InputError` for settings it does not have.
    """
    found: Aligner = registry.part("aligner", spec, **settings)
    return found
