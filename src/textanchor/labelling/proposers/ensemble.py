"""Several proposers as one."""

from __future__ import annotations

from typing import Literal

import numpy as np

from textanchor import registry
from textanchor.errors import InputError
from textanchor.labelling.pool import Labelled, Pool, Probabilities
from textanchor.labelling.proposers.likelihoods import log_of, proportional
from textanchor.settings import Numbers

OF = {"a": "kernel-ridge", "b": "spreading"}


class Ensemble:
    """Weighted mean of what proposers say: `ensemble(a=em, b=kernel-ridge(widths=[1]), weights=[2, 1])`.

    Names of the terms are free; `weights` are in their order, 1 each by default. The mean is of `probabilities`, sure where
    most are sure, or of their `logarithms`, sure where none objects. By default kernel ridge and spreading.
    """

    name = "ensemble"

    def __init__(
        self, *, mean: Literal["probabilities", "logarithms"] = "probabilities", weights: Numbers | None = None, **terms: str
    ) -> None:
        terms = terms or OF
        given = [1.0] * len(terms) if weights is None else [float(weight) for weight in weights]
        if len(given) != len(terms) or min(given) < 0 or sum(given) <= 0:
            raise InputError(f"ensemble: weights={given} of {len(terms)} proposers; expected as many, none below 0, not all 0")
        self._terms = [registry.part("proposer", spec) for spec in terms.values()]
        self._weights, self._logarithms = np.asarray(given) / sum(given), mean == "logarithms"

    def propose(self, pool: Pool, labelled: Labelled, *, seed: int = 0) -> Probabilities:
        """The mean, rows that sum to 1."""
        said = [term.propose(pool, labelled, seed=seed) for term in self._terms]
        if self._logarithms:
            return proportional(sum(weight * log_of(one) for weight, one in zip(self._weights, said, strict=True)))
        total = sum(weight * one for weight, one in zip(self._weights, said, strict=True))
        return np.asarray(total / total.sum(axis=1, keepdims=True), dtype=np.float32)
