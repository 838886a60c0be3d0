"""Near-duplicates are asked once."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float32

from textanchor.labelling.pool import Labelled, Pool, Rows

NEAR = 0.98  # cosine of an item's features: the same thing once more
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
        nearest = np.maximum(_nearest(places, known), _nearest(places, pool.places[chosen]))
        for place, row in enumerate(rows.tolist()):
            if nearest[place] < NEAR and len(chosen) < count:
                chosen.append(row)
                nearest = np.maximum(nearest, places @ places[place])
    return np.asarray(chosen, dtype=np.int64)


def _nearest(places: Float32[np.ndarray, "m d"], known: Float32[np.ndarray, "k d"]) -> Float32[np.ndarray, " m"]:
    return np.asarray((places @ known.T).max(axis=1, initial=-1.0), dtype=np.float32)
