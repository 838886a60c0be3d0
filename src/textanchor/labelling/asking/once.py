"""Near-duplicates are asked once."""

from __future__ import annotations

import numpy as np

from textanchor.labelling.pool import Labelled, Pool, Rows
from textanchor.metrics.covering import NEAR, nearest

BLOCK = 256  # candidates that are compared with what is known at a time


def open_rows(pool: Pool, labelled: Labelled) -> Rows:
    """Rows that nobody has labelled, in their order."""
    free = np.ones(len(pool), dtype=bool)
    free[labelled.rows] = False
    return np.flatnonzero(free)


def askable(pool: Pool, labelled: Labelled) -> Rows:
    """Of `open_rows` the first of each contents that no labelled item has."""
    rows = open_rows(pool, labelled)
    rows = rows[~np.isin(pool.contents[rows], pool.contents[labelled.rows])]
    return np.sort(rows[np.unique(pool.contents[rows], return_index=True)[1]])


def once(pool: Pool, labelled: Labelled, ordered: Rows, count: int) -> Rows:
    """The first `count` of `ordered` that nearly repeat neither a labelled item nor one before them: a cosine of .98."""
    known = pool.places[labelled.rows]
    chosen: list[int] = []
    for start in range(0, len(ordered), BLOCK):
        if len(chosen) >= count:
            break
        rows = ordered[start : start + BLOCK]
        places = pool.places[rows]
        closest = np.maximum(nearest(places, known), nearest(places, pool.places[chosen]))
        for place, row in enumerate(rows.tolist()):
            if closest[place] < NEAR and len(chosen) < count:
                chosen.append(row)
                closest = np.maximum(closest, places @ places[place])
    return np.asarray(chosen, dtype=np.int64)
