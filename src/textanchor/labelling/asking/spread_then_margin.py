"""Spread until the classes are covered, then spread over what the proposer cannot decide."""

from __future__ import annotations

import numpy as np

from textanchor.labelling.asking.covering import covered_first, doubts
from textanchor.labelling.pool import Labelled, Pool, Probabilities, Rows

COVERED = 0.95  # share of the classes that have a label
ENOUGH = 3  # labels a class, after which classes that have none yet are not waited for


class SpreadThenMargin:
    """What covers most of the rest, of which each item counts by one minus its margin once the classes have labels.

    The labels alone decide when. A margin between classes that are known says nothing of those that are not, so it is not
    listened to before. Later the smallest margins by themselves ask at the same few edges again and again: covering takes one
    of many that are alike, and none that is like no other. Without proposals it goes on spreading.
    Sources: facility location as in Wei, Iyer and Bilmes 2015, ICML, section 3; first typical, then uncertain items Hacohen,
    Dekel and Weinshall 2022, arXiv:2202.02794.
    """

    name = "spread-then-margin"
    by_proposals = False

    def ask(
        self, pool: Pool, labelled: Labelled, probabilities: Probabilities | None = None, count: int = 1, *, seed: int = 0
    ) -> Rows:
        """Those that cover most first."""
        weights = doubts(probabilities) if probabilities is not None and covered(pool, labelled) else None
        return covered_first(pool, labelled, count, weights=weights, seed=seed)


def covered(pool: Pool, labelled: Labelled) -> bool:
    """Whether nearly all classes have a label, or there are so many labels that the other classes may be nowhere."""
    return len(np.unique(labelled.classes)) >= COVERED * len(pool.classes) or len(labelled) >= ENOUGH * len(pool.classes)
