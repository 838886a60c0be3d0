"""The few directions in which most of the structure lies: there clusters are the same again from another sample."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from sklearn.decomposition import PCA

from textanchor.aligners.ridge import linear
from textanchor.aligners.unpaired.candidates import Candidates
from textanchor.projectors.linear import Linear
from textanchor.records import PairedLatents, Pooled, Vectors

DIMENSIONS = 8  # in more, clusters of another sample are others: restarts on captions alone agree to .93 in 8, to .49 in 16


class Axes:
    """Principal axes of some items and of some texts."""

    def __init__(self, known: Candidates) -> None:
        self.items, self.texts = _strongest(known.items.vectors), _strongest(known.anchors)

    def candidates(self, known: Candidates) -> Candidates:
        """Candidates in coordinates."""
        items = replace(known.items, vectors=_single(self.items.transform(known.items.vectors)))
        return replace(known, items=items, anchors=_single(self.texts.transform(known.anchors)))

    def pairs(self, pairs: PairedLatents) -> PairedLatents:
        """Pairs in coordinates."""
        if not len(pairs.items):
            return _with(pairs, *(np.zeros((0, side.n_components_)) for side in (self.items, self.texts)))
        return _with(pairs, self.items.transform(pairs.pooled), self.texts.transform(pairs.anchors))

    def pairs_back(self, pairs: PairedLatents) -> PairedLatents:
        """Pairs in coordinates as latents and anchor vectors."""
        return _with(pairs, self.items.inverse_transform(pairs.pooled), self.texts.inverse_transform(pairs.anchors))

    def whole(self, within: Linear) -> Linear:
        """The projector from latents to anchor vectors that one of coordinates stands for."""
        inner, bias = (one.detach().numpy().astype(np.float64) for one in (within.map.weight.T, within.map.bias))
        weight = self.items.components_.T @ inner @ self.texts.components_
        return linear(weight, self.texts.mean_ + bias @ self.texts.components_ - self.items.mean_ @ weight)


def _strongest(vectors: Vectors) -> PCA:
    return PCA(min(DIMENSIONS, *vectors.shape), svd_solver="covariance_eigh").fit(vectors.astype(np.float64))


def _with(pairs: PairedLatents, items: np.ndarray, anchors: np.ndarray) -> PairedLatents:
    held = Pooled(
        vectors=_single(items), ids=pairs.items.ids, contents=pairs.items.contents, fingerprint=pairs.items.fingerprint
    )
    return replace(pairs, items=held, anchors=_single(anchors))


def _single(vectors: np.ndarray) -> Vectors:
    return vectors.astype(np.float32)
