"""What came of a promise: which proposals may be taken over without a look, and what it would take to let more through."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool


@dataclass(frozen=True, kw_only=True)
class Decision:
    """`accepted` [n] are let through; they are `promised` unless a person has to look at some first. `reason` is a sentence for
    a person.

    `expected_error` estimates the share of wrong ones among the accepted, and is no promise; NaN where none are. `resolution`
    is the smallest share of the rest that so many labels could let through, were no proposal wrong; above 1 if none.
    `more_labels` estimates how many further random labels would let anything through where nothing is, and `more_groups` how
    many further groups; None if that is not known. `spent_level` and `spent_delta` are what this batch took of the promise.
    """

    accepted: Bool[np.ndarray, " n"]
    promised: bool
    reason: str
    expected_error: float
    resolution: float
    more_labels: int | None = None
    more_groups: int | None = None
    spent_level: float = float("nan")
    spent_delta: float = float("nan")

    @property
    def share(self) -> float:
        """Of the rest that is let through; 0 where there is no rest."""
        return float(self.accepted.mean()) if len(self.accepted) else 0.0
