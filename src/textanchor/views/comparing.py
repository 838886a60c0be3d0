"""How a view is used: vectors as they are compared, and queries and galleries whose inner product is the score."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float32

from textanchor import registry
from textanchor.records import Hubness, Vectors, View, alike

Scored = Float32[np.ndarray, "_n _d"]  # as wide as the view makes it, a dimension more where a bias is carried
TINY = 1e-12


def unit(vectors: Vectors) -> Vectors:
    """Rows scaled to length 1; a zero row stays zero."""
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    return (vectors / np.maximum(length, TINY)).astype(np.float32)


def as_item(view: View | None, vectors: Vectors) -> Scored:
    """A modality's raw vectors as compared with texts and with each other: mapped by its view, of length 1."""
    return unit(vectors if view is None else view.item(vectors))


def as_text(view: View | None, vectors: Vectors) -> Scored:
    """Raw text vectors as compared with the modality that the view belongs to, of length 1."""
    return unit(vectors if view is None else view.text(vectors))


def as_peer(view: View | None, other: View | None, vectors: Vectors) -> Scored:
    """A modality's raw vectors as compared with another modality's: centred by its view, of length 1.

    A map that both views share, such as one whitening for all modalities, is applied; what a view fitted to its own pairs does
    not carry over (docs/findings.md has the figures).
    """
    if view is None:
        return unit(vectors)
    shared = other is not None and alike(view.item, other.item)
    return unit(view.item(vectors) if shared else vectors - view.item.mean)


def as_query(view: View | None, mapped: Vectors) -> Scored:
    """Mapped vectors as queries: a 1 is added where galleries carry a hubness bias. *Shape:* [n, d] -> [n, d] or [n, d + 1]."""
    if _correction(view) is None:
        return mapped
    return np.concatenate([mapped, np.ones((len(mapped), 1), np.float32)], axis=1)


def item_gallery(view: View | None, mapped: Vectors) -> Scored:
    """Mapped items as a gallery for texts: the hubness bias is one more dimension, so that an inner product is the score."""
    held = _correction(view)
    return mapped if held is None else _biased(held, mapped, as_text(view, held.texts))


def text_gallery(view: View | None, mapped: Vectors) -> Scored:
    """Mapped texts as a gallery for items."""
    held = _correction(view)
    return mapped if held is None else _biased(held, mapped, as_item(view, held.items))


def naming(view: View | None, raw: Vectors, anchors: Vectors) -> tuple[Scored, Scored]:
    """Raw items as queries and raw texts as their gallery; the inner product is the score."""
    return as_query(view, as_item(view, raw)), text_gallery(view, as_text(view, anchors))


def _correction(view: View | None) -> Hubness | None:
    return view.hubness if view is not None and view.hubness is not None and view.hubness.method != "none" else None


def _biased(hubness: Hubness, mapped: Vectors, bank: Vectors) -> Scored:
    bias = registry.load("hubness", hubness.method)(gallery=mapped, bank=bank, **hubness.settings)
    return np.concatenate([mapped, bias[:, None].astype(np.float32)], axis=1)


def cosines(left: Float32[np.ndarray, "n d"], right: Float32[np.ndarray, "m d"]) -> Float32[np.ndarray, "n m"]:
    """Inner products of rows that have length 1 already."""
    return (left @ right.T).astype(np.float32)
