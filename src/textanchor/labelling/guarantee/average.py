"""On average: conformal p-values against wrongly proposed calibration items, and Benjamini-Hochberg."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float64

from textanchor.labelling.guarantee.promise import Calibration, Promise, Rest, Scored, Spends, allowed
from textanchor.labelling.guarantee.ranking import Ranking, ranked, sizes


class Average:
    """At most `level` wrong among what is let through, in the mean over all draws of labels and rest; one draw may exceed it.

    An item's p-value is the share of calibration labels that are wrong proposals of a higher score, the item itself counted
    as wrong: small where hardly any wrong proposal is as sure. Benjamini-Hochberg over the rest. The share is of *all*
    calibration labels and not of the wrong ones, so that it needs no further estimate of how often proposals are wrong.
    Sources: Jin and Candès 2023, arXiv:2210.01408, eq. 5 and theorem 3; Conformal Labeling, arXiv:2510.14581, whose p-value
    among wrong labels times its estimate of their share is the same number.

    Of several batches, each spends its share of the level and counts what was let through before it towards the k of
    Benjamini-Hochberg: batches by LOND, Javanmard and Montanari 2015, arXiv:1502.06197, section 2, which holds for p-values of
    one calibration set (Zrnic, Ramdas and Jordan 2021, arXiv:1812.05068: under positive dependence).

    Where groups were drawn, every surer item of an item's own group counts as wrong too: members of a group may be right or
    wrong together, and groups take the place of items.
    """

    name = "average"
    words = (
        "Over many such projects at most the stated share of what is labelled without a look is wrong. "
        "In a single project it may be more; in others it is less."
    )
    usual: Scored = "out of fold"
    audited = False
    spends: Spends = "level"

    def accepted(self, calibration: Calibration, rest: Rest, promise: Promise) -> Bool[np.ndarray, " n"]:
        """Which of the rest are let through."""
        p = p_values(calibration, rest, ranked(calibration, rest, promise.seed))
        return benjamini_hochberg(p, allowed(calibration, promise.spent_level), promise.batch.accepted)

    def resolution(self, calibration: Calibration, rest: Rest, promise: Promise) -> float:
        """1 / ((n + 1) level) where items were drawn: a p-value cannot be smaller than 1 / (n + 1)."""
        size = sizes(calibration, rest)
        least = np.median(size / (calibration.counts.sum() + size)) if len(rest) else np.inf
        return float(least / allowed(calibration, promise.spent_level) - promise.batch.accepted / max(len(rest), 1))


def p_values(calibration: Calibration, rest: Rest, ranking: Ranking) -> Float64[np.ndarray, " n"]:
    """Of "this proposal is wrong", in the rest's order: (own + wrong) / (calibration + own group's size).

    `own` is 1 and the size 1 where items were drawn. For a random item of the rest, P(wrong and p <= x) <= x.
    """
    p = np.empty(len(rest))
    size = sizes(calibration, rest)[ranking.order]
    p[ranking.order] = (ranking.own + ranking.wrong) / (calibration.counts.sum() + size)
    return p


def benjamini_hochberg(p: Float64[np.ndarray, " n"], level: float, before: int = 0) -> Bool[np.ndarray, " n"]:
    """Those among the largest number k whose p-values are at most level (k + `before`) / n (Benjamini and Hochberg 1995)."""
    counts = before + np.arange(1, len(p) + 1)
    allowed = level * counts / max(len(p), 1) * (1 + 1e-12)  # .05 x 20 / 20 is as much as 1 / 20
    passing = np.flatnonzero(np.sort(p) <= allowed)
    return p <= allowed[passing[-1]] if len(passing) else np.zeros(len(p), dtype=bool)
