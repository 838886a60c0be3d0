"""What is farthest from all that is known."""

from __future__ import annotations

import numpy as np

from textanchor.labelling.asking.once import askable, once
from textanchor.labelling.pool import Labelled, Pool, Probabilities, Rows

MOST = 20_000  # items that are looked at; of more a random part


class KCentre:
    """One after another the item that is farthest from the nearest known or asked one, which outliers are too.

    Greedy 2-approximation of the k-centre problem. Sources: Gonzalez 1985, doi:10.1016/0304-3975(85)90224-5; Sener and Savarese
    2018, arXiv:1708.00489, algorithm 1.
    """

    name = "k-centre"
    by_proposals = False

    def ask(
        self, pool: Pool, labelled: Labelled, probabilities: Probabilities | None = None, count: int = 1, *, seed: int = 0
    ) -> Rows:
        """The farthest first; where nothing is known the one nearest to the mean of all."""
        rows = np.sort(np.random.default_rng(seed).permutation(askable(pool, labelled))[:MOST])
        places, known = pool.places[rows], pool.places[labelled.rows]
        nearest = np.full(len(rows), -np.inf, dtype=np.float32)
        for start in range(0, len(known), MOST):
            nearest = np.maximum(nearest, (places @ known[start : start + MOST].T).max(axis=1))
        ordered: list[int] = []
        for _ in range(min(count, len(rows))):
            first = not len(known) and not ordered
            best = int((places @ places.mean(axis=0)).argmax() if first else nearest.argmin())
            ordered.append(best)
            nearest = np.maximum(nearest, places @ places[best])
            nearest[best] = np.inf
        return once(pool, labelled, rows[ordered], count)
