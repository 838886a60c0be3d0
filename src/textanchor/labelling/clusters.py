"""Items that lie together, so that a person may look at a few of each and label all."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from textanchor.labelling.asking.clusters import clustered
from textanchor.labelling.pool import Pool, Rows

EACH = 30  # items of a cluster, about
MOST = 200  # clusters


@dataclass(frozen=True, kw_only=True)
class Cluster:
    """Rows of a pool that lie together, the most typical first; `density` is their mean typicality."""

    rows: Rows
    density: float

    def centre(self, count: int) -> Rows:
        """The most typical ones."""
        return self.rows[:count]

    def edge(self, count: int) -> Rows:
        """The least typical ones, the outermost first; none that is among as many typical ones."""
        return self.rows[max(count, len(self.rows) - count) :][::-1]


def clusters(pool: Pool, rows: Rows, *, each: int = EACH, seed: int = 0) -> tuple[Cluster, ...]:
    """Some rows in clusters of about `each` items.

    Those come first of which one look tells most: many items that lie close together.
    """
    own = np.asarray(rows, dtype=np.int64)
    if not len(own):
        return ()
    found = clustered(pool.places[own], min(MOST, max(1, round(len(own) / each))), seed=seed)
    made = []
    for number in np.unique(found.of):
        members = np.flatnonzero(found.of == number)
        order = members[np.argsort(-found.typicality[members], kind="stable")]
        made.append(Cluster(rows=own[order], density=float(found.typicality[members].mean())))
    return tuple(sorted(made, key=lambda one: (-one.density * len(one.rows), int(one.rows[0]))))
