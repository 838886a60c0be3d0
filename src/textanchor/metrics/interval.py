"""Bootstrap intervals over groups."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Shaped

RESAMPLES = 1000


def bootstrap(values: Shaped[np.ndarray, " n"], groups: Sequence[str], *, seed: int = 0) -> tuple[float, float] | None:
    """95 % percentile interval of a mean, whole groups drawn with replacement; None for fewer than two groups.

    Source: Efron and Tibshirani 1993, chapters 8 and 13; the cluster bootstrap of Field and Welsh 2007.
    """
    _, place = np.unique(np.asarray(groups, dtype=object).astype(str), return_inverse=True)
    size = np.bincount(place)
    if len(size) < 2:
        return None
    total = np.bincount(place, weights=values.astype(np.float64))
    drawn = np.random.default_rng(seed).integers(len(size), size=(RESAMPLES, len(size)))
    means = total[drawn].sum(axis=1) / size[drawn].sum(axis=1)
    low, high = np.percentile(means, [2.5, 97.5])
    return float(low), float(high)
