"""Scores that come by chance, p-values of scores against them, and the line below which too many hits are chance."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Float, Float32

TAIL, FEWEST = 0.01, 50  # share of the largest scores whose mean excess is taken, and how many they are at least
LEAST = 10  # scores that say anything
KNOTS = 32  # scores at which the share of larger ones is taken


@dataclass(frozen=True, kw_only=True)
class Chance:
    """Scores of queries with items they do not belong to, ascending.

    `shares` are how many of them, with a margin, are as large as each of `knots`: (1 + how many) / (1 + all), and one standard
    error over queries and items, for few of these say little however many pairs they make. Between knots the share is
    interpolated by its logarithm. Scores beyond all of them have the same p-value `least`: one item in so many may be misplaced
    without any of these having been. `excess`, the mean by which the largest exceed their own beginning, orders them.
    Where there is an `other` sort of chance scores, the larger of the two p-values holds.
    Source of the share: Davison and Hinkley 1997, Bootstrap Methods and their Application, equation 4.11.
    """

    scores: Float32[np.ndarray, " n"]
    knots: Float[np.ndarray, " m"]
    shares: Float[np.ndarray, " m"]
    least: float
    excess: float
    other: Chance | None = None

    @classmethod
    def of(cls, scores: Float32[np.ndarray, "q g"], apart: Bool[np.ndarray, "q g"]) -> Chance | None:
        """From scores of which only those that are `apart` count; None if they are fewer than ten, or of one query or
        item alone, which does not say how much queries or items differ."""
        null = np.sort(scores[apart])
        if len(null) < LEAST or min(apart.any(axis=0).sum(), apart.any(axis=1).sum()) < 2:
            return None
        knots = np.unique(null[np.unique(len(null) - np.geomspace(len(null), 1, KNOTS).round().astype(int))])
        shares = [_share(np.where(apart, scores >= knot, False), apart) for knot in knots]
        falling = np.minimum(np.maximum.accumulate(shares[::-1])[::-1], 1.0)
        many = min(max(FEWEST, round(TAIL * len(null))), len(null) // 2)
        excess = float(np.mean(null[-many:] - null[-many]))
        least = min(1 / (1 + len(null)), float(falling[-1]))
        return cls(scores=null, knots=knots.astype(float), shares=falling, least=least, excess=max(excess, 1e-6))

    def beside(self, other: Chance | None) -> Chance:
        """Chance of this sort or of another, whichever is the greater."""
        return replace(self, other=other)

    def p(self, scores: Float[np.ndarray, "*a"]) -> Float[np.ndarray, "*a"]:
        """The share of chance scores that are as large, with its margin, in (0, 1]; it never rises as scores rise."""
        own = self._own(scores)
        return own if self.other is None else np.maximum(own, self.other.p(scores))

    def order(self, scores: Float[np.ndarray, "*a"]) -> Float[np.ndarray, "*a"]:
        """By what scores of several modalities are put in one order, smallest first: the logarithm of the p-value, which beyond
        all chance scores goes on as if their tail were exponential."""
        beyond = np.maximum(scores - self.knots[-1], 0) / self.excess
        own = np.log(self._own(scores)) - beyond
        return own if self.other is None else np.maximum(own, self.other.order(scores))

    def _own(self, scores: Float[np.ndarray, "*a"]) -> Float[np.ndarray, "*a"]:
        within = np.exp(np.interp(scores, self.knots, np.log(self.shares)))
        return np.where(scores > self.knots[-1], self.least, within)

    def percentile(self, scores: Float[np.ndarray, "*a"]) -> Float[np.ndarray, "*a"]:
        """The share of chance scores that are smaller, in percent."""
        return 100.0 * np.searchsorted(self.scores, scores, side="left") / len(self.scores)


def _share(larger: Bool[np.ndarray, "q g"], apart: Bool[np.ndarray, "q g"]) -> float:
    """The share with its standard error: of the means over rows and over columns, taken as independent."""
    variance = 0.0
    for axis in (0, 1):
        counts, all_ = larger.sum(axis), apart.sum(axis)
        kept = all_ > 0
        if kept.sum() > 1:
            variance += float(np.var(counts[kept] / all_[kept], ddof=1)) / int(kept.sum())
    return float((1 + larger.sum()) / (1 + apart.sum()) + np.sqrt(variance))


def above_line(p: Float[np.ndarray, " n"], total: int, level: float) -> int:
    """How many of the smallest p-values, ascending, stand above the line: among them at most the share `level` is expected
    to have come by chance. `p` are the smallest of `total`.

    Source: Benjamini and Hochberg 1995, J. R. Stat. Soc. B 57, procedure (1).
    """
    below = np.flatnonzero(p <= level * np.arange(1, len(p) + 1) / total)
    return int(below[-1]) + 1 if len(below) else 0
