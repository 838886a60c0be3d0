"""95 % intervals over groups: the bootstrap, and what stands in for it where queries are few or all alike."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Int, Shaped
from scipy.stats import t

RESAMPLES = 1000
FEW = 20  # with fewer groups than that the bootstrap's ends are too near each other
FEWEST = 5  # with fewer its ends are but the groups themselves
Z = 1.959964  # of the normal distribution, 2.5 % lie beyond it

Interval = tuple[float, float]


def bootstrap(values: Shaped[np.ndarray, " n"], groups: Sequence[str], *, seed: int = 0) -> Interval | None:
    """95 % percentile interval of a mean, whole groups drawn with replacement; None for fewer than two groups.

    Source: Efron and Tibshirani 1993, chapters 8 and 13; the cluster bootstrap of Field and Welsh 2007.
    """
    place, size = _grouped(groups)
    if len(size) < 2:
        return None
    total = np.bincount(place, weights=values.astype(np.float64))
    drawn = np.random.default_rng(seed).integers(len(size), size=(RESAMPLES, len(size)))
    means = total[drawn].sum(axis=1) / size[drawn].sum(axis=1)
    low, high = np.percentile(means, [2.5, 97.5])
    return float(low), float(high)


def of_share(hits: Shaped[np.ndarray, " n"], groups: Sequence[str]) -> Interval | None:
    """95 % interval of a share of hits; None for fewer than two groups, of which nothing can be said about further ones.

    The bootstrap, or with fewer than 20 groups, or where it would have no width, Wilson's interval: 0 of 2 is [0, .66]. There
    as many hits count as independent ones would tell the same, between the number of groups and that of hits.
    Sources: Wilson 1927, doi:10.1080/01621459.1927.10502953; the effective number Korn and Graubard 1998, Survey
    Methodology 24, 193-201.
    """
    place, size = _grouped(groups)
    if len(size) < 2:
        return None
    drawn = bootstrap(hits, groups) if len(size) >= FEW else None
    if drawn is not None and drawn[0] < drawn[1]:
        return drawn
    return wilson(float(np.mean(hits)), _effective(hits, place, size))


def of_gain(gains: Shaped[np.ndarray, " n"], groups: Sequence[str]) -> Interval | None:
    """95 % interval of a mean paired difference, each in [-1, 1]; None for fewer than two groups.

    The bootstrap, or with fewer than 20 queries or 5 groups, or where it would have no width, Wald's interval over groups with
    two more, which gain nothing on average: two hits gained of two are no proof.
    Source: Agresti and Min 2005, doi:10.1002/sim.1781, section 3.
    """
    place, size = _grouped(groups)
    if len(size) < 2:
        return None
    drawn = bootstrap(gains, groups) if len(gains) >= FEW and len(size) >= FEWEST else None
    if drawn is not None and drawn[0] < drawn[1]:
        return drawn
    means, count = np.bincount(place, weights=gains.astype(np.float64)) / size, len(size)
    mean, square = means.sum() / (count + 2), ((means**2).sum() + 1) / (count + 2)
    half = Z * np.sqrt((square - mean**2) / (count + 2))
    own = float(np.mean(gains))
    return max(-1.0, min(own, float(mean - half))), min(1.0, max(own, float(mean + half)))


def wilson(share: float, count: float | int) -> Interval:
    """95 % score interval of a share of `count` independent trials."""
    spread = Z**2 / count
    middle = (share + spread / 2) / (1 + spread)
    half = np.sqrt(share * (1 - share) * spread + spread**2 / 4) / (1 + spread)
    return max(0.0, float(middle - half)), min(1.0, float(middle + half))


def _grouped(groups: Sequence[str]) -> tuple[Int[np.ndarray, " n"], Int[np.ndarray, " g"]]:
    """Each value's group, and the groups' sizes."""
    _, place = np.unique(np.asarray(groups, dtype=object).astype(str), return_inverse=True)
    return place, np.bincount(place)


def _effective(hits: Shaped[np.ndarray, " n"], place: Int[np.ndarray, " n"], size: Int[np.ndarray, " g"]) -> float:
    """How many independent trials tell as much; the groups' own number where they do not say how alike their hits are."""
    share, total, count = float(np.mean(hits)), float(size.sum()), len(size)
    least = total**2 / float((size**2).sum())
    off = np.bincount(place, weights=hits.astype(np.float64)) - share * size
    variance = count / (count - 1) * float((off**2).sum()) / total**2
    if variance < 1e-12:
        return least
    told = share * (1 - share) / variance * float(Z / t.ppf(0.975, count - 1)) ** 2
    return min(total, max(least, told))
