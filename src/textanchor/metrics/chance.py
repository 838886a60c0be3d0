"""Scores that come by chance, p-values of scores against them, and the line below which too many hits are chance."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Float32

TAIL, FEWEST = 0.01, 50  # share of the largest scores from which the tail is extrapolated, and how many they are at least
LEAST = 10  # scores that say anything
KNOTS = 24  # scores at which the share of larger ones is taken


@dataclass(frozen=True, kw_only=True)
class Chance:
    """Scores of queries with items they do not belong to, ascending.

    `shares` are how many of them, with a margin, are as large as each of `knots`: (1 + how many) / (1 + all), enlarged by one
    standard error over queries and items, for few of these say little however many pairs they make. Between knots the share is
    interpolated by its logarithm. Beyond the last knot the tail is taken for exponential with the mean excess `excess`: scores
    are bounded, so that the true tail is lighter and p-values are rather too large.
    Source of the share: Davison and Hinkley 1997, Bootstrap Methods and their Application, equation 4.11.
    """

    scores: Float32[np.ndarray, " n"]
    knots: Float[np.ndarray, " m"]
    shares: Float[np.ndarray, " m"]
    excess: float

    @classmethod
    def of(cls, scores: Float32[np.ndarray, "q g"], apart: Bool[np.ndarray, "q g"]) -> Chance | None:
        """From scores of which only those that are `apart` count; None if they are fewer than ten, or of one query or
        item alone, which does not say how much queries or items differ."""
        null = np.sort(scores[apart])
        if len(null) < LEAST or min(apart.any(axis=0).sum(), apart.any(axis=1).sum()) < 2:
            return None
        many = min(max(FEWEST, round(TAIL * len(null))), len(null) // 2)
        places = np.unique(len(null) - np.geomspace(len(null), many, KNOTS).round().astype(int))
        knots = np.unique(null[places])
        shares = [_share(np.where(apart, scores >= knot, False), apart) for knot in knots]
        falling = np.maximum.accumulate(shares[::-1])[::-1]
        excess = float(np.mean(null[-many:] - knots[-1]))
        return cls(scores=null, knots=knots.astype(float), shares=np.minimum(falling, 1.0), excess=max(excess, 1e-6))

    def p(self, scores: Float[np.ndarray, "*a"]) -> Float[np.ndarray, "*a"]:
        """The share of chance scores that are as large, in (0, 1]; it falls as scores rise."""
        within = np.interp(scores, self.knots, np.log(self.shares))
        return np.exp(within - np.maximum(scores - self.knots[-1], 0) / self.excess)

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
