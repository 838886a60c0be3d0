"""Spread until the classes are covered, then ask what the proposer cannot decide."""

from __future__ import annotations

import numpy as np

from textanchor.labelling.asking.margin import Margin
from textanchor.labelling.asking.typical import Typical
from textanchor.labelling.pool import Labelled, Pool, Probabilities, Rows

COVERED = 0.95  # share of the classes that have a label


class SpreadThenMargin:
    """Typical items while classes are without a label, then the smallest margins; the labels alone decide which.

    A margin between classes that are known says nothing of those that are not. Without proposals it goes on spreading.
    """

    name = "spread-then-margin"

    def __init__(self) -> None:
        self._spread, self._margin = Typical(), Margin()

    def ask(
        self, pool: Pool, labelled: Labelled, probabilities: Probabilities | None = None, count: int = 1, *, seed: int = 0
    ) -> Rows:
        """As `typical` or as `margin`, whichever it is time for."""
        if probabilities is None or not covered(pool, labelled):
            return self._spread.ask(pool, labelled, probabilities, count, seed=seed)
        return self._margin.ask(pool, labelled, probabilities, count, seed=seed)


def covered(pool: Pool, labelled: Labelled) -> bool:
    """Whether nearly all classes have a label."""
    return len(np.unique(labelled.classes)) >= COVERED * len(pool.classes)
