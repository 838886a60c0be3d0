"""By audit: what looks good is let through on trial, and a person looks at some of it, drawn at random, until it is clear."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool

from textanchor.labelling.guarantee.promise import Calibration, Promise, Rest, Scored, Spends
from textanchor.labelling.guarantee.ranking import ranked
from textanchor.settings import Share


class Audit:
    """At most `level` wrong among what is let through, except with probability `delta` over which items are looked at.

    Nothing is assumed of labels, scores or proposer: labels may have been chosen, groups unheard. Until enough was looked at
    (`auditing`) nothing is promised. On trial is the longest list, surest first, of which calibration labels let expect at
    most `aim` times the level to be wrong, since a list at the level itself would never be found good; without any, the
    proposer's own probabilities say so, or what is taken for them.
    """

    name = "audit"
    words = (
        "A person looks at some of what is to be labelled without a look, drawn at random. Unless that draw was among the most "
        "misleading ones, whose probability is stated, at most the stated share of what was not looked at is wrong."
    )
    usual: Scored = "out of fold"
    audited = True
    spends: Spends = "delta"

    def __init__(self, *, aim: Share = 0.4) -> None:
        self._aim = aim

    def accepted(self, calibration: Calibration, rest: Rest, promise: Promise) -> Bool[np.ndarray, " n"]:
        """Which of the rest are on trial."""
        ranking = ranked(calibration, rest, promise.seed)
        counts = np.arange(1, len(rest) + 1)
        if len(calibration):
            wrong = ranking.wrong * len(rest) / calibration.counts.sum()
        else:
            wrong = np.cumsum(1 - np.clip(rest.scores[ranking.order], 0, 1))
        good = np.flatnonzero(wrong <= self._aim * promise.level * counts)
        accepted = np.zeros(len(rest), dtype=bool)
        accepted[ranking.order[: good[-1] + 1 if len(good) else 0]] = True
        return accepted

    def resolution(self, calibration: Calibration, rest: Rest, promise: Promise) -> float:
        """0: however few are on trial, they can be looked at."""
        return 0.0
