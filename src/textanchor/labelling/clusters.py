"""Items that lie together, so that a person may look at a few of each and label all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from sklearn.cluster import KMeans, MiniBatchKMeans

from textanchor.labelling.pool import Features, Rows

EACH = 30  # items of a cluster, about
MOST = 100  # clusters of one sight
LARGE = 5000  # items from which on batches are enough


@dataclass(frozen=True, kw_only=True)
class Cluster:
    """Rows of a pool that lie together, the nearest to their centre first.

    `width` is their mean distance to it, in units of the mean distance that all items of the sight have to their own.
    """

    sight: str
    rows: Rows
    width: float

    def centre(self, count: int) -> Rows:
        """The most typical ones."""
        return self.rows[:count]

    def edge(self, count: int) -> Rows:
        """The least typical ones, none of which is among as many typical ones, the outermost first."""
        return self.rows[max(count, len(self.rows) - count) :][::-1]


def clusters(features: Sequence[Features], rows: Rows, *, each: int = EACH, seed: int = 0) -> tuple[Cluster, ...]:
    """The given rows in clusters of about `each` items; an item counts by the first sight that it has.

    Those come first of which one look tells most: many items that lie close together.

    Items of no sight are in no cluster. Source: k-means as in scikit-learn, Lloyd 1982, of features of equal scale.
    """
    left = np.asarray(rows, dtype=np.int64)
    found: list[Cluster] = []
    for sight in features:
        own = left[sight.present[left]]
        left = left[~sight.present[left]]
        if len(own):
            found += _clusters(sight, own, each, seed)
    return tuple(sorted(found, key=lambda one: (one.width / len(one.rows), int(one.rows[0]))))


def _clusters(sight: Features, rows: Rows, each: int, seed: int) -> list[Cluster]:
    values = np.asarray(sight.values[rows], dtype=np.float64)
    different = len(np.unique(values, axis=0))
    count = min(MOST, max(1, round(len(rows) / each)), different)
    kind = MiniBatchKMeans if len(rows) > LARGE else KMeans
    made = kind(n_clusters=count, n_init=3, random_state=seed).fit(values)
    apart = np.linalg.norm(values - made.cluster_centers_[made.labels_], axis=1)
    mean = float(apart.mean()) or 1.0
    found = []
    for number in range(count):
        own = np.flatnonzero(made.labels_ == number)
        if len(own):
            order = own[np.argsort(apart[own], kind="stable")]
            found.append(Cluster(sight=sight.name, rows=rows[order], width=float(apart[own].mean()) / mean))
    return found
