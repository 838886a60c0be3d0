"""What stands for much of the rest."""

from __future__ import annotations

import numpy as np

from textanchor.labelling.asking.margin import margins
from textanchor.labelling.asking.once import askable
from textanchor.labelling.pool import Labelled, Pool, Probabilities, Rows
from textanchor.metrics.covering import Amounts, covering


class Covering:
    """Items that, one after another, bring all of the rest nearest to something that is known or asked.

    As `metrics.covering.covering` says, which finds typical items of regions without a label, and the pairs to buy next too.
    """

    name = "covering"
    by_proposals = False

    def ask(
        self, pool: Pool, labelled: Labelled, probabilities: Probabilities | None = None, count: int = 1, *, seed: int = 0
    ) -> Rows:
        """Those that cover most first; `probabilities` are not looked at."""
        return covered_first(pool, labelled, count, seed=seed)


def covered_first(pool: Pool, labelled: Labelled, count: int, *, weights: Amounts | None = None, seed: int = 0) -> Rows:
    """Rows of what covers most of the unlabelled items; an item counts by its row's weight [n]."""
    rows = askable(pool, labelled)
    own = None if weights is None else weights[rows]
    return rows[covering(pool.places[labelled.rows], pool.places[rows], count, weights=own, seed=seed)]


def doubts(probabilities: Probabilities) -> Amounts:
    """How little likelier each item's likeliest class is than its second, in [0, 1]."""
    return np.asarray(1 - margins(probabilities), dtype=np.float32)
