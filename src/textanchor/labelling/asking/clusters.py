"""Clusters of a pool, kept for the next question."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Int
from sklearn.cluster import KMeans, MiniBatchKMeans
from sklearn.exceptions import ConvergenceWarning

from textanchor.labelling.pool import Pool, Rows

NEIGHBOURS = 20  # whose mean distance says how typical an item is, as in the source
FITTED = 10_000  # items of which more are clustered in small batches
MOST = 1000  # clusters; and members of a cluster that others are compared with
STEP = 1.25  # the number of clusters grows by, so that few labels more need no new ones


@dataclass(frozen=True, kw_only=True)
class Clusters:
    """The cluster [n] of each item, and how typical it is of it: one over the mean distance to its nearest fellows."""

    of: Int[np.ndarray, " n"]
    typicality: Float32[np.ndarray, " n"]


class Clustering:
    """Makes clusters, and keeps the last ones that it made."""

    def __init__(self) -> None:
        self._last: tuple[Pool, int, int, Clusters] | None = None

    def of(self, pool: Pool, count: int, *, seed: int = 0) -> Clusters:
        """At least `count` clusters, at most a thousand and no more than items, by k-means of the items' places."""
        wanted = min(rounded(count), MOST, len(pool))
        if self._last is None or self._last[0] is not pool or self._last[1:3] != (wanted, seed):
            self._last = (pool, wanted, seed, clustered(pool.places, wanted, seed=seed))
        return self._last[3]


def rounded(count: int) -> int:
    """The next of the numbers 1, 2, 3, 4, 5, 7, 9, 12 ... that grow by a quarter."""
    number = 1
    while number < count:
        number = max(number + 1, round(number * STEP))
    return number


def clustered(places: Float32[np.ndarray, "n d"], count: int, *, seed: int = 0) -> Clusters:
    """That many clusters by k-means, of many items in small batches."""
    made = KMeans(count, n_init=1, max_iter=50, random_state=seed) if len(places) <= FITTED else _batched(count, seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # fewer clusters where items are copies
        of = np.asarray(made.fit_predict(places), dtype=np.int64)
    typicality = np.zeros(len(places), dtype=np.float32)
    for rows in np.split(np.argsort(of, kind="stable"), np.cumsum(np.bincount(of))[:-1]):
        typicality[rows] = typical(places[rows], seed=seed)
    return Clusters(of=of, typicality=typicality)


def typical(places: Float32[np.ndarray, "n d"], *, seed: int = 0) -> Float32[np.ndarray, " n"]:
    """One over the mean distance to the 20 nearest others of a cluster, of a large one among a thousand drawn members.

    Source: Hacohen, Dekel and Weinshall 2022, arXiv:2202.02794, equation 4.
    """
    others: Rows = np.random.default_rng(seed).permutation(len(places))[:MOST]
    near = min(NEIGHBOURS, len(others) - 1)
    if near < 1:
        return np.ones(len(places), dtype=np.float32)
    squares = (places**2).sum(axis=1)
    gaps = squares[:, None] + squares[others] - 2 * places @ places[others].T
    gaps[others, np.arange(len(others))] = np.inf
    nearest = np.sqrt(np.maximum(np.partition(gaps, near - 1, axis=1)[:, :near], 0))
    return np.asarray(1 / np.maximum(nearest.mean(axis=1), 1e-6), dtype=np.float32)


def _batched(count: int, seed: int) -> MiniBatchKMeans:
    return MiniBatchKMeans(count, n_init=1, batch_size=4096, max_iter=10, random_state=seed, reassignment_ratio=0.0)
