"""What the proposer cannot decide between."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float32

from textanchor.errors import InputError
from textanchor.labelling.asking.once import askable, once
from textanchor.labelling.pool import Labelled, Pool, Probabilities, Rows


class Margin:
    """Items whose two likeliest classes are nearest to each other.

    With few labels it asks at the edges of classes that it happens to know and misses the others.
    Source: Scheffer, Decomain and Wrobel 2001, doi:10.1007/3-540-44816-0_31.
    """

    name = "margin"
    by_proposals = True

    def ask(
        self, pool: Pool, labelled: Labelled, probabilities: Probabilities | None = None, count: int = 1, *, seed: int = 0
    ) -> Rows:
        """The smallest margins first, equal ones in an order drawn by `seed`."""
        if probabilities is None:
            raise InputError("the strategy margin asks by proposals and has none: expected the probabilities of a proposer")
        rows = np.random.default_rng(seed).permutation(askable(pool, labelled))
        return once(pool, labelled, rows[np.argsort(margins(probabilities[rows]), kind="stable")], count)


def margins(probabilities: Probabilities) -> Float32[np.ndarray, " n"]:
    """How much likelier the likeliest class is than the second; 1 where there is one class only."""
    if probabilities.shape[1] < 2:
        return np.ones(len(probabilities), dtype=np.float32)
    best = np.partition(probabilities, -2, axis=1)
    return np.asarray(best[:, -1] - best[:, -2], dtype=np.float32)
