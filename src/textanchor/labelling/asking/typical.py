"""What is typical of what nobody has labelled yet."""

from __future__ import annotations

import numpy as np

from textanchor.labelling.asking.clusters import Clustering
from textanchor.labelling.asking.once import askable, once
from textanchor.labelling.pool import Labelled, Pool, Probabilities, Rows


class Typical:
    """The densest item of each cluster without a label, large clusters first; as many clusters as labels and items asked.

    Source: TypiClust, Hacohen, Dekel and Weinshall 2022, arXiv:2202.02794, algorithm 1, here on the items' own features.
    """

    name = "typical"
    by_proposals = False

    def __init__(self) -> None:
        self._clustering = Clustering()

    def ask(
        self, pool: Pool, labelled: Labelled, probabilities: Probabilities | None = None, count: int = 1, *, seed: int = 0
    ) -> Rows:
        """Clusters with the fewest labels first, then the largest; a second item of a cluster counts its first as labelled."""
        clusters = self._clustering.of(pool, len(labelled) + count, seed=seed)
        rows = askable(pool, labelled)
        of, labels = clusters.of[rows], np.bincount(clusters.of[labelled.rows], minlength=int(clusters.of.max()) + 1)
        within = np.lexsort((-clusters.typicality[rows], of))
        starts = np.searchsorted(of[within], of[within])
        turn = np.empty(len(rows), dtype=np.int64)
        turn[within] = np.arange(len(rows)) - starts
        sizes = np.bincount(clusters.of)
        return once(pool, labelled, rows[np.lexsort((of, -sizes[of], labels[of] + turn))], count)
