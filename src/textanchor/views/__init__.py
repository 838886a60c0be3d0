"""Views and the cosine taken under them."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float32

from textanchor.records import Vectors, View

TINY = 1e-12


def unit(vectors: Vectors) -> Vectors:
    """Rows scaled to length 1; a zero row stays zero."""
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    return (vectors / np.maximum(length, TINY)).astype(np.float32)


def as_item(view: View | None, vectors: Vectors) -> Vectors:
    """A modality's raw vectors as compared: mapped by its view, of length 1."""
    return unit(vectors if view is None else view.item(vectors))


def as_text(view: View | None, vectors: Vectors) -> Vectors:
    """Raw text vectors as compared with the modality that the view belongs to, of length 1."""
    return unit(vectors if view is None else view.text(vectors))


def cosines(left: Float32[np.ndarray, "n d"], right: Float32[np.ndarray, "m d"]) -> Float32[np.ndarray, "n m"]:
    """Inner products of rows that have length 1 already."""
    return (left @ right.T).astype(np.float32)
