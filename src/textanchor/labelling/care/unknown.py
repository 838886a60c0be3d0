"""Items that are none of the classes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Float64, Int

from textanchor.errors import InputError
from textanchor.labelling.pool import Labelled, Pool, Rows

NEIGHBOURS = 5  # of an item, who have half the say
MOST = 20_000  # items among which neighbours are sought; of more a random part
BLOCK = 1024
LEVEL = 0.05


@dataclass(frozen=True, kw_only=True)
class Unknowns:
    """How little each item of a pool looks like anything that is labelled: `strangeness` [n], and `p` [n], how often an item
    of the known classes would look as strange, by the labels drawn at random. Labelled items have a p of 1."""

    strangeness: Float32[np.ndarray, " n"]
    p: Float64[np.ndarray, " n"]

    def rows(self, level: float = LEVEL) -> Rows:
        """Items of which at most that share of the known classes' would be, the strangest first; not those that are labelled.

        In the mean over draws of the labels, for items like those the labels were drawn from.
        """
        flagged = np.flatnonzero(self.p <= level)
        return flagged[np.argsort(-self.strangeness[flagged], kind="stable")]


def unknowns(pool: Pool, labelled: Labelled) -> Unknowns:
    """Which items fit no class: half is how far an item is from the nearest labelled one, half how far its neighbours are.

    No proposer is asked, whose certainty says which of the known classes and not whether any. A labelled item is measured by
    the labels of other units (`Pool.units`) only, so that p is a conformal p-value. Source: distance to the nearest example,
    Sun et al. 2022, arXiv:2204.06507; p-values Bates et al. 2023, doi:10.1214/22-AOS2244, equation 3. Raises `InputError`
    without a label drawn at random.
    """
    if not labelled.drawn.any():
        raise InputError(
            "no label was drawn at random, so that nothing says how strange known items look; label some drawn ones"
        )
    near = _neighbours(pool)
    alike = _nearest(pool, np.arange(len(pool)), labelled)
    strangeness = -(alike + alike[near].mean(axis=1)) / 2
    known = np.array([_own(pool, labelled, int(row), near[row]) for row in labelled.rows[labelled.drawn]])
    ranks = len(known) - np.searchsorted(np.sort(known), strangeness, side="left")
    p = (1 + ranks) / (1 + len(known))
    p[labelled.rows] = 1
    return Unknowns(strangeness=strangeness.astype(np.float32), p=p)


def _own(pool: Pool, labelled: Labelled, row: int, near: Rows) -> float:
    """The strangeness of a labelled item to all who are not of its unit."""
    others = labelled.taken(pool.units[labelled.rows] != pool.units[row])
    alike = _nearest(pool, np.concatenate([[row], near]), others)
    return -float(alike[0] + alike[1:].mean()) / 2


def _nearest(pool: Pool, rows: Rows, labelled: Labelled) -> Float32[np.ndarray, " k"]:
    """Cosines to the nearest labelled items."""
    known = pool.places[labelled.rows].T
    blocks = [
        (pool.places[rows[start : start + BLOCK]] @ known).max(axis=1, initial=-1.0) for start in range(0, len(rows), BLOCK)
    ]
    return np.concatenate([np.empty(0, dtype=np.float32), *blocks]).astype(np.float32)


def _neighbours(pool: Pool) -> Int[np.ndarray, "n k"]:
    """The five nearest others of each item, or as many as there are."""
    others = np.sort(np.random.default_rng(0).permutation(len(pool))[:MOST])
    count = max(1, min(NEIGHBOURS, len(others) - 1))
    found = np.empty((len(pool), count), dtype=np.int64)
    for start in range(0, len(pool), BLOCK):
        alike = pool.places[start : start + BLOCK] @ pool.places[others].T
        own = np.arange(start, min(start + BLOCK, len(pool)))
        alike[own[:, None] == others] = -np.inf
        found[own] = others[np.argpartition(alike, -count, axis=1)[:, -count:]]
    return found
