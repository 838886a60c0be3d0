"""Vectors of any number laid flat, so that people can look at them: neighbours stay neighbours, distances mean nothing."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float32
from sklearn.decomposition import PCA
from sklearn.manifold import TSNE
from sklearn.neighbors import KNeighborsRegressor

MOST = 3000  # vectors that are laid out by their own neighbours; the others are put among these
DIMENSIONS = 50
PERPLEXITY = 30
NEAR = 5
LEAST = 4  # below that there is nothing to lay out


def flat(vectors: Float32[np.ndarray, "n d"], *, seed: int = 0, most: int = MOST) -> Float32[np.ndarray, "n 2"]:
    """Points within [0, 1]: principal components, then t-SNE; beyond `most` vectors of a random sample.

    The others are put at the mean of their five nearest in the sample, the nearer the heavier. Rows that are not finite
    become NaN. Source: van der Maaten and Hinton 2008, JMLR 9.
    """
    points = np.full((len(vectors), 2), np.nan, dtype=np.float32)
    rows = np.flatnonzero(np.isfinite(vectors).all(axis=1))
    if len(rows):
        points[rows] = _scaled(_laid(vectors[rows].astype(np.float64), seed, most))
    return points


def _laid(known: np.ndarray, seed: int, most: int) -> np.ndarray:
    if len(known) < LEAST or not np.ptp(known, axis=0).any():
        return np.column_stack([np.arange(len(known)), np.zeros(len(known))])
    chosen = np.sort(np.random.default_rng(seed).permutation(len(known))[:most])
    pca = PCA(n_components=min(DIMENSIONS, len(chosen) - 1, known.shape[1]), random_state=seed).fit(known[chosen])
    small = pca.transform(known)
    tsne = TSNE(perplexity=min(PERPLEXITY, (len(chosen) - 1) / 3), init=_begun(small[chosen]), random_state=seed)
    laid = tsne.fit_transform(small[chosen].astype(np.float32))
    if len(chosen) == len(known):
        return laid
    among = KNeighborsRegressor(n_neighbors=min(NEAR, len(chosen)), weights="distance").fit(small[chosen], laid)
    return among.predict(small)


def _begun(small: np.ndarray) -> np.ndarray:
    """The first two components, as small as t-SNE wants them; equal vectors begin in one point."""
    first = np.zeros((len(small), 2))
    first[:, : min(2, small.shape[1])] = small[:, :2]
    spread = first[:, 0].std()
    return (first / spread * 1e-4 if spread > 0 else first).astype(np.float32)


def _scaled(points: np.ndarray) -> np.ndarray:
    low, high = points.min(axis=0), points.max(axis=0)
    return ((points - low) / np.maximum(high - low, 1e-9)).astype(np.float32)
