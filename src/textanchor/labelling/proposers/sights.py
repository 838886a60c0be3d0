"""Items with several sights: each is asked by itself, and an item's sights agree on a class as far as it has them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
from jaxtyping import Float32

from textanchor.labelling.pool import Labelled, Pool, Probabilities
from textanchor.labelling.proposers.likelihoods import log_of, proportional

Values: TypeAlias = Float32[np.ndarray, "k d"]
Asked: TypeAlias = Callable[[Values, Pool, Labelled], Probabilities]


def over_sights(pool: Pool, labelled: Labelled, asked: Asked) -> Probabilities:
    """Mean logarithm of what `asked` makes of each sight an item has, over those items that have it, as probabilities.

    An item without any sight gets how often classes were labelled, one label a class added.
    """
    total = np.zeros((len(pool), len(pool.classes)), dtype=np.float64)
    seen = np.zeros(len(pool))
    for sight in pool.features:
        there = np.flatnonzero(sight.present)
        known = labelled.taken(sight.present[labelled.rows])
        place = np.cumsum(sight.present) - 1
        inside = Labelled(rows=place[known.rows], classes=known.classes, drawn=known.drawn)
        if len(there):
            total[there] += log_of(asked(sight.values[there], pool.taken(there), inside))
            seen[there] += 1
    blind = seen == 0
    total[blind] = np.log(1 + np.bincount(labelled.classes, minlength=len(pool.classes)))
    return proportional(total / np.maximum(seen, 1)[:, None])
