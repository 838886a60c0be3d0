"""Items with several sights: each is asked by itself, and an item's sights agree on a class as far as it has them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TypeAlias

import numpy as np

from textanchor.labelling.pool import Features, Labelled, Pool, Probabilities
from textanchor.labelling.proposers.likelihoods import log_of, proportional

Asked: TypeAlias = Callable[[Features, Pool, Labelled], Probabilities]


def over_sights(pool: Pool, labelled: Labelled, asked: Asked) -> Probabilities:
    """What `asked` makes of each sight, over those items that have it; mean logarithms where an item has several.

    An item without any sight gets how often classes were labelled, one label a class added.
    """
    total = np.zeros((len(pool), len(pool.classes)), dtype=np.float64)
    seen = np.zeros(len(pool), dtype=np.int64)
    for sight in pool.features:
        there = np.flatnonzero(sight.present)
        if not len(there):
            continue
        if len(there) == len(pool) and len(pool.features) == 1:
            return asked(sight, pool, labelled)
        known = labelled.taken(sight.present[labelled.rows])
        inside = Labelled(rows=np.searchsorted(there, known.rows), classes=known.classes, drawn=known.drawn)
        total[there] += log_of(asked(sight.seen, replace(pool.taken(there), features=(sight.seen,)), inside))
        seen[there] += 1
    blind = seen == 0
    total[blind] = np.log(1 + np.bincount(labelled.classes, minlength=len(pool.classes)))
    return proportional(total / np.maximum(seen, 1)[:, None])
