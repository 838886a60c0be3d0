"""Whether two representations of the same things have the same shape, before anything is fitted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float32, Float64, Int
from sklearn.preprocessing import normalize

from textanchor.records import Vectors

BLOCK = 1024  # things whose neighbours are sought at once
PERMUTATIONS = 200
TIE = 1e-12  # shuffles that agree exactly as well are counted, whatever the order of a sum


@dataclass(frozen=True, kw_only=True)
class Permuted:
    """A measure of agreement beside the same measure with the partners shuffled: the null's mean and 95th percentile.

    `p` is the share of shuffles that agree as well, the real partners counted among them: 1 / 201 at least for 200 shuffles.
    Source: Phipson and Smyth 2010, doi:10.2202/1544-6115.1585, section 4.
    """

    statistic: float
    mean: float
    high: float
    p: float


def mutual_knn(left: Vectors, right: Float32[np.ndarray, "n e"], *, k: int = 10) -> float | None:
    """Mean share of a thing's k nearest others, by cosine, that both representations name; chance is k / (n - 1).

    None for n <= k + 1. Source: Huh et al. 2024, arXiv:2405.07987, appendix A.
    """
    if len(left) <= k + 1:
        return None
    sides = [normalize(vectors - vectors.mean(axis=0)) for vectors in (left, right)]
    shared = 0
    for start in range(0, len(left), BLOCK):
        mine, theirs = (_nearest(vectors, start, k) for vectors in sides)
        shared += int((mine & theirs).sum())
    return float(shared / len(left) / k)


def _nearest(vectors: np.ndarray, start: int, k: int) -> np.ndarray:
    """Which things are among the k nearest of a block of them. *Shape:* [block, n], bool."""
    scores = vectors[start : start + BLOCK] @ vectors.T
    rows = np.arange(len(scores))
    scores[rows, rows + start] = -np.inf
    mask = np.zeros(scores.shape, dtype=bool)
    np.put_along_axis(mask, np.argpartition(-scores, k - 1, axis=1)[:, :k], True, axis=1)
    return mask


def linear_cka(left: Vectors, right: Float32[np.ndarray, "n e"]) -> float | None:
    """Linear centred kernel alignment without the bias of few items, at most 1; near 0 for unrelated sides. None for n < 4.

    Sources: Kornblith et al. 2019, arXiv:1905.00414; the unbiased estimate Song et al. 2012, JMLR 13, equation 5.
    """
    if len(left) < 4:
        return None
    x, y = ((vectors - vectors.mean(axis=0)).astype(np.float64) for vectors in (left, right))
    cross, mine, theirs = _hsic(x, y), _hsic(x, x), _hsic(y, y)
    return float(cross / np.sqrt(mine * theirs)) if mine > 0 and theirs > 0 else None


def _hsic(x: np.ndarray, y: np.ndarray) -> float:
    """Of the Gram matrices x x' and y y' without their diagonals, neither of which is ever made. *Shape:* [n, d], [n, e]."""
    n, own, others = len(x), (x**2).sum(axis=1), (y**2).sum(axis=1)
    rows, columns = x @ x.sum(axis=0) - own, y @ y.sum(axis=0) - others
    both = float(((x.T @ y) ** 2).sum() - own @ others)
    total = both + rows.sum() * columns.sum() / ((n - 1) * (n - 2)) - 2 * float(rows @ columns) / (n - 2)
    return float(total / (n * (n - 3)))


def knn_against_shuffled(
    left: Vectors, right: Float32[np.ndarray, "n e"], *, k: int = 10, permutations: int = PERMUTATIONS, seed: int = 0
) -> Permuted | None:
    """`mutual_knn` against its permutation null, which is k / (n - 1) on average. Memory: n^2 bytes. None for n <= k + 1."""
    n = len(left)
    if n <= k + 1:
        return None
    mine, theirs = (_neighbours(vectors, k) for vectors in (left, right))
    near = np.nonzero(mine)[1].reshape(n, k)
    return _permuted(lambda order: float(theirs[order[:, None], order[near]].mean()), n, permutations, seed)


def cka_against_shuffled(
    left: Vectors, right: Float32[np.ndarray, "n e"], *, permutations: int = PERMUTATIONS, seed: int = 0
) -> Permuted | None:
    """`linear_cka` against its permutation null, which is 0 on average however wide both sides are; 32 n^2 bytes of memory.

    The unbiased estimate is an inner product of U-centred Gram matrices, so that shuffling partners only permutes one of them.
    None for n < 4, and where all things of one side are the same.
    Sources: Székely and Rizzo 2014, arXiv:1310.2926, definition 2; what width does to the biased estimate Murphy et al. 2024,
    arXiv:2405.01012.
    """
    if len(left) < 4:
        return None
    mine, theirs = (_u_centred(vectors) for vectors in (left, right))
    scale = float(np.sqrt((mine**2).sum() * (theirs**2).sum()))
    if scale <= 0:
        return None
    return _permuted(lambda order: float(np.vdot(mine, theirs[np.ix_(order, order)])) / scale, len(left), permutations, seed)


def _permuted(statistic: Callable[[Int[np.ndarray, " n"]], float], n: int, permutations: int, seed: int) -> Permuted:
    """Of a statistic that takes the order in which partners of the left side stand."""
    rng, real = np.random.default_rng(seed), statistic(np.arange(n))
    null = np.array([statistic(rng.permutation(n)) for _ in range(permutations)])
    p = (1 + int((null >= real - TIE).sum())) / (1 + permutations)
    return Permuted(statistic=real, mean=float(null.mean()), high=float(np.percentile(null, 95)), p=p)


def _neighbours(vectors: np.ndarray, k: int) -> Bool[np.ndarray, "n n"]:
    """Which things are among the k nearest of each, by cosine once centred."""
    unit = normalize(vectors - vectors.mean(axis=0))
    return np.concatenate([_nearest(unit, start, k) for start in range(0, len(unit), BLOCK)])


def _u_centred(vectors: np.ndarray) -> Float64[np.ndarray, "n n"]:
    """The Gram matrix without its diagonal, less what makes every row and column add up to more than 0."""
    x, n = (vectors - vectors.mean(axis=0)).astype(np.float64), len(vectors)
    gram = x @ x.T
    np.fill_diagonal(gram, 0)
    rows = gram.sum(axis=1) / (n - 2)
    gram += rows.sum() / (n - 1) - rows[:, None] - rows
    np.fill_diagonal(gram, 0)
    return gram
