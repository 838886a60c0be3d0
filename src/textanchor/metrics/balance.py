"""Figures that uneven classes do not flatter: what the largest class alone reaches, and means over classes."""

from __future__ import annotations

import numpy as np
from jaxtyping import Int, Shaped

UNEVEN = 1.5  # the largest class is so many times the smallest, or more


def largest_class(classes: Shaped[np.ndarray, " n"]) -> float:
    """The accuracy of who always answers the class that most have."""
    return float(np.unique(classes, return_counts=True)[1].max() / len(classes)) if len(classes) else 0.0


def macro(hits: Shaped[np.ndarray, " n"], classes: Shaped[np.ndarray, " n"]) -> float | None:
    """Mean over classes of each one's share of hits; None where classes are about even, whose plain mean says the same.

    Source: the balanced accuracy of Brodersen et al. 2010, doi:10.1109/ICPR.2010.764, for any number of classes.
    """
    place, size = _sizes(classes)
    if len(size) < 2 or size.max() < UNEVEN * size.min():
        return None
    return float((np.bincount(place, weights=hits.astype(np.float64)) / size).mean())


def _sizes(classes: Shaped[np.ndarray, " n"]) -> tuple[Int[np.ndarray, " n"], Int[np.ndarray, " c"]]:
    _, place, size = np.unique(classes, return_inverse=True, return_counts=True)
    return place, size
