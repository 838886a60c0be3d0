"""With confidence: bounds on the number of wrong ones that hold except with probability delta, whatever is then let through."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool

from textanchor.labelling.guarantee import by_group
from textanchor.labelling.guarantee.counting import Bounds, bounds
from textanchor.labelling.guarantee.promise import Calibration, Promise, Rest, Scored, Spends, allowed
from textanchor.labelling.guarantee.ranking import ranked


class Confidence:
    """At most `level` wrong among what is let through, except with probability `delta` over the draw of the calibration labels.

    Where items were drawn: exact bounds on the number of wrong ones among the k surest of the rest, for all k at once
    (`counting`), so that the longest list whose bound is within the level may be taken. It is the number that is really wrong
    in this rest which is bounded, not a rate beyond it. Where groups were drawn: a fixed sequence of tests (`by_group`) of the
    rate among groups such as these. Sources: Learn then Test, arXiv:2110.01052, section 4; bounds for all lists at once as in
    Katsevich and Ramdas 2020, arXiv:1803.06790, here with the exact probabilities of an urn.
    """

    name = "confidence"
    words = (
        "Unless the random draw of the calibration labels was among the most misleading ones, whose probability is stated, "
        "at most the stated share of what is labelled without a look is wrong in this very project."
    )
    usual: Scored = "held apart"
    audited = False
    spends: Spends = "delta"

    def accepted(self, calibration: Calibration, rest: Rest, promise: Promise) -> Bool[np.ndarray, " n"]:
        """Which of the rest are let through."""
        if calibration.groups is not None:
            return by_group.let_through(calibration, rest, promise)
        ranking = ranked(calibration, rest, promise.seed)
        hidden = _bounds(calibration, rest, promise).on(ranking.wrong)
        passing = np.flatnonzero(hidden <= allowed(calibration, promise.level) * np.arange(1, len(rest) + 1))
        accepted = np.zeros(len(rest), dtype=bool)
        accepted[ranking.order[: passing[-1] + 1 if len(passing) else 0]] = True
        return accepted

    def resolution(self, calibration: Calibration, rest: Rest, promise: Promise) -> float:
        """The bound without a single mistake, over the level."""
        if calibration.groups is not None:
            return by_group.smallest(calibration, rest, promise)
        hidden = _bounds(calibration, rest, promise).hidden
        return float(hidden[0] / allowed(calibration, promise.level) / len(rest)) if len(hidden) else np.inf


def _bounds(calibration: Calibration, rest: Rest, promise: Promise) -> Bounds:
    return bounds(len(calibration), len(rest), promise.spent_delta, int(promise.level * len(rest)))
