"""From scores to probabilities, and back."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int

from textanchor.labelling.pool import Probabilities

NEVER = -1e4  # a score of what is not possible; finite, so that means of scores stay finite
EVENLY = 0.02  # of what one voice says: no single one rules a class out


def proportional(scores: Float[np.ndarray, "n c"]) -> Probabilities:
    """softmax of each row."""
    shares = np.exp(scores - scores.max(axis=1, keepdims=True))
    return np.asarray(shares / shares.sum(axis=1, keepdims=True), dtype=np.float32)


def log_of(probabilities: Probabilities) -> Float[np.ndarray, "n c"]:
    """Logarithms of probabilities of which a small share lies evenly on all classes."""
    return np.log((1 - EVENLY) * probabilities + EVENLY / probabilities.shape[1])


def even(items: int, classes: int) -> Probabilities:
    """Nothing is known."""
    return np.full((items, classes), 1 / classes, dtype=np.float32)


def one_hot(classes: Int[np.ndarray, " m"], count: int) -> Float[np.ndarray, "m c"]:
    """A row an item, 1 at its class."""
    return np.eye(count, dtype=np.float32)[classes]
