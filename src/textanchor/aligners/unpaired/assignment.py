"""Which thing of one side is which of the other, from nothing but who is near to whom on each side."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float64, Int
from scipy.optimize import OptimizeResult, quadratic_assignment
from scipy.spatial.distance import pdist, squareform

Similarities = Float64[np.ndarray, "n n"]
Others = Float64[np.ndarray, "m m"]
STARTS = 30


@dataclass(frozen=True, kw_only=True)
class Matching:
    """The `partners` on the right side of the left side's things, -1 for none, and how alike the two sides are under it.

    `likeness` is the correlation of the partners' similarities, at most 1. Chance is far above 0, because the best of all
    matchings was sought: only that of unrelated sides says what a value is worth.
    """

    partners: Int[np.ndarray, " n"]
    likeness: float


def similarities(points: Float[np.ndarray, "n d"]) -> Similarities:
    """A Gaussian kernel, distances in units of their median, with mean 0 and variance 1 off the diagonal, which is 0.

    Neither scale nor position of the points counts, nor the number of their dimensions. At least 3 points.
    """
    squares = pdist(points.astype(np.float64), "sqeuclidean")
    near = np.exp(-squares / max(float(np.median(squares)), 1e-12))
    return np.asarray(squareform((near - near.mean()) / max(float(near.std()), 1e-12)))


def unrelated(near: Similarities, rng: np.random.Generator) -> Similarities:
    """A structure of the same spectrum that is turned at random and means nothing; zeros on its diagonal again."""
    turn, _ = np.linalg.qr(rng.normal(size=near.shape))
    turned = turn @ near @ turn.T
    np.fill_diagonal(turned, 0)
    return np.asarray(turned)


def assigned(left: Similarities, right: Others, rng: np.random.Generator, *, known: int = 0) -> Matching:
    """The matching under which similar things have similar partners: it maximises sum_ij left[i, j] right[p(i), p(j)].

    The first `known` things of both sides are partners already. Of sides of unequal size the larger keeps things without a
    partner. The best of 30 starts, then improved by exchanging pairs of partners; not necessarily the best of all.
    Sources: Vogelstein et al. 2015 (FAQ), doi:10.1371/journal.pone.0121002; with known partners Fishkind et al. 2019,
    doi:10.1016/j.patcog.2018.09.014.
    """
    size = max(len(left), len(right))
    sides = [np.pad(one, (0, size - len(one))) for one in (left, right)]
    told = {"maximize": True, "rng": rng, "partial_match": np.repeat(np.arange(known)[:, None], 2, axis=1)}
    found: list[OptimizeResult] = [
        quadratic_assignment(*sides, options={**told, "P0": "randomized" if start else "barycenter"}) for start in range(STARTS)
    ]
    guess = np.stack([np.arange(size), max(found, key=lambda one: one.fun).col_ind], axis=1)
    exchanged = quadratic_assignment(*sides, method="2opt", options={**told, "partial_guess": guess})
    partners = exchanged.col_ind[: len(left)]
    partners = np.where(partners < len(right), partners, -1)
    return Matching(partners=partners, likeness=_likeness(left, right, partners, known))


def _likeness(left: Similarities, right: Others, partners: Int[np.ndarray, " n"], known: int) -> float:
    """Over pairs of things of which at least one was not known."""
    own = np.flatnonzero(partners >= 0)
    rows, columns = np.triu_indices(len(own), k=1)
    fresh = own[columns] >= known  # the later of the two; known things come first
    rows, columns = own[rows[fresh]], own[columns[fresh]]
    mine, theirs = left[rows, columns], right[partners[rows], partners[columns]]
    return float(np.corrcoef(mine, theirs)[0, 1]) if mine.std() > 0 and theirs.std() > 0 else 0.0
