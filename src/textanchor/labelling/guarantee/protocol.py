"""What every form of the guarantee is."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Bool

from textanchor import registry
from textanchor.labelling.guarantee.promise import Calibration, Promise, Rest, Scored, Spends


@runtime_checkable
class Guarantee(Protocol):
    """Decides what may be labelled without a look.

    `words` say what is promised, for whoever has to answer for it; `usual` whose scores of calibration labels it takes unless
    told otherwise; `audited` that it holds only once a person has looked at some;
    `spends` which of the two numbers batches share.
    """

    name: str
    words: str
    usual: Scored
    audited: bool
    spends: Spends

    def accepted(self, calibration: Calibration, rest: Rest, promise: Promise) -> Bool[np.ndarray, " n"]:
        """Which of the rest are let through. The same arguments give the same answer."""

    def resolution(self, calibration: Calibration, rest: Rest, promise: Promise) -> float:
        """The smallest share of the rest that these labels could let through, were no proposal wrong; above 1 if none."""


def form_of(promise: Promise) -> Guarantee:
    """The form that a promise names. Raises `UnknownNameError` for one that nobody registered."""
    form: Guarantee = registry.part("guarantee", promise.form)
    return form
