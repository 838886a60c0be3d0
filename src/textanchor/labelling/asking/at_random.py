"""Whatever comes."""

from __future__ import annotations

import numpy as np

from textanchor.labelling.asking.once import open_rows
from textanchor.labelling.pool import Labelled, Pool, Probabilities, Rows


class AtRandom:
    """Items drawn at random from all that are not labelled, near-duplicates among them: they alone stand for the rest, so that
    they may say how often a proposal is wrong."""

    name = "random"
    by_proposals = False

    def ask(
        self, pool: Pool, labelled: Labelled, probabilities: Probabilities | None = None, count: int = 1, *, seed: int = 0
    ) -> Rows:
        """The first of a random order; `probabilities` are not looked at."""
        return np.random.default_rng(seed).permutation(open_rows(pool, labelled))[:count]
