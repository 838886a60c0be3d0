"""Soft k-means over all items, labelled and not, whose classes lie where labels and names say."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from textanchor.labelling.pool import Labelled, Pool, Probabilities
from textanchor.labelling.proposers.likelihoods import NEVER, one_hot, proportional, unit
from textanchor.labelling.proposers.sights import Values, over_sights
from textanchor.settings import Amount, Count, Positive, Share

FITTED = 10_000  # items without a label that move the means


class EM:
    """A mixture of directions, one a class, fitted to all items by expectation-maximisation; labels stay what they are.

    Means have a Gaussian process prior over classes, whose covariance is the likeness of their names: k(c, c') = (1 - `names`)
    [c = c'] + `names` cos(c, c'), with cosines between the anchor's vectors, less their mean. So classes with few labels lean
    on classes with like names, and a class without any lies where names say it should: with `names` 0, or without names, it
    gets no item. `noise` is the variance of items beside that of means, `concentration` how much a cosine counts, `weight`
    how much an item without a label counts beside one with.

    Sources: Nigam et al. 2000, "Text classification from labeled and unlabeled documents using EM", section 5.1 for `weight`;
    Banerjee et al. 2005, "Clustering on the unit hypersphere", for directions; Rasmussen and Williams 2006, "Gaussian
    processes for machine learning", eq. 2.25, for means.
    """

    name = "em"

    def __init__(
        self,
        *,
        concentration: Positive = 20.0,
        names: Share = 0.5,
        noise: Positive = 1.0,
        weight: Amount = 1.0,
        rounds: Count = 15,
    ) -> None:
        self._concentration, self._names, self._noise = concentration, names, noise
        self._weight, self._rounds = weight, rounds

    def propose(self, pool: Pool, labelled: Labelled, *, seed: int = 0) -> Probabilities:
        """Probabilities of all classes that have a label or a name; without either all are alike."""
        return over_sights(pool, labelled, lambda *given: self._asked(*given, seed))

    def _asked(self, values: Values, pool: Pool, labelled: Labelled, seed: int) -> Probabilities:
        directions = unit(values)
        covariance = self._covariance(pool)
        known = _Sums.of(directions[labelled.rows], one_hot(labelled.classes, len(pool.classes)))
        possible = (known.counts > 0) | ((covariance - np.diag(np.diag(covariance))) != 0).any(axis=1)
        if not len(labelled) or not possible.any():
            return np.full((len(values), len(pool.classes)), 1 / len(pool.classes), dtype=np.float32)
        rest = directions[_some_of(np.setdiff1d(np.arange(len(values)), labelled.rows), seed)]
        barred = np.where(possible, 0.0, NEVER).astype(np.float32)
        means = self._means(known, covariance)
        for _ in range(self._rounds if self._weight else 0):
            shares = proportional(self._concentration * rest @ means.T + barred)
            means = self._means(known.plus(_Sums.of(rest, shares), self._weight), covariance)
        return proportional(self._concentration * directions @ means.T + barred)

    def _covariance(self, pool: Pool) -> Float[np.ndarray, "c c"]:
        if pool.texts is None or not self._names or len(pool.classes) < 3:
            return np.eye(len(pool.classes))
        texts = unit(pool.texts.astype(np.float64))
        alike = unit(texts - texts.mean(axis=0))
        return (1 - self._names) * np.eye(len(texts)) + self._names * alike @ alike.T

    def _means(self, sums: _Sums, covariance: Float[np.ndarray, "c c"]) -> Float[np.ndarray, "c d"]:
        return unit(posterior_means(sums.sums, sums.counts, covariance, self._noise)).astype(np.float32)


def posterior_means(
    sums: Float[np.ndarray, "c d"], counts: Float[np.ndarray, " c"], covariance: Float[np.ndarray, "c c"], noise: float
) -> Float[np.ndarray, "c d"]:
    """Means of classes from sums over `counts` items of each: K (K + noise / counts)^-1 (sums / counts), also of none.

    With W the root of the counts it is K W (W K W + noise)^-1 W^-1 sums.
    """
    root = np.sqrt(counts)
    system = root[:, None] * covariance * root + noise * np.eye(len(root))
    shrunk = np.linalg.solve(system, np.divide(sums, root[:, None], out=np.zeros_like(sums), where=root[:, None] > 1e-6))
    return (covariance * root) @ shrunk


@dataclass(frozen=True, kw_only=True)
class _Sums:
    """Of items by class, each as far as it belongs to the class."""

    sums: Float[np.ndarray, "c d"]
    counts: Float[np.ndarray, " c"]

    @classmethod
    def of(cls, items: Float[np.ndarray, "n d"], shares: Float[np.ndarray, "n c"]) -> _Sums:
        return cls(sums=(shares.T @ items).astype(np.float64), counts=shares.sum(axis=0, dtype=np.float64))

    def plus(self, other: _Sums, weight: float) -> _Sums:
        return _Sums(sums=self.sums + weight * other.sums, counts=self.counts + weight * other.counts)


def _some_of(rows: np.ndarray, seed: int) -> np.ndarray:
    return rows if len(rows) <= FITTED else np.random.default_rng(seed).choice(rows, FITTED, replace=False)
