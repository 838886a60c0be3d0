"""Where classes lie, from labels and from what their names say."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from textanchor.labelling.pool import Labelled, Pool, Probabilities
from textanchor.labelling.proposers.likelihoods import one_hot


@dataclass(frozen=True, kw_only=True)
class Sums:
    """Of items by class, each as far as it belongs to the class."""

    sums: Float[np.ndarray, "c d"]
    counts: Float[np.ndarray, " c"]

    @classmethod
    def of(cls, items: Float[np.ndarray, "n d"], shares: Float[np.ndarray, "n c"]) -> Sums:
        """Each item in the shares that it has of classes."""
        return cls(sums=(shares.T @ items).astype(np.float64), counts=shares.sum(axis=0, dtype=np.float64))

    def plus(self, other: Sums, weight: float) -> Sums:
        """Both, the other with a weight."""
        return Sums(sums=self.sums + weight * other.sums, counts=self.counts + weight * other.counts)


@dataclass(frozen=True, kw_only=True)
class Prior:
    """What is known of where classes lie before any item is looked at.

    Means are a Gaussian process over classes: k(c, c') = (1 - `names`) [c = c'] + `names` cos(c, c'), with cosines between the
    anchor's vectors of the names, less their mean. So a class with few labels leans on classes with like names, and one
    without any lies where its name says. `noise` is the variance of an item beside that of a mean.
    Source: Rasmussen and Williams 2006, "Gaussian processes for machine learning", eq. 2.25.
    """

    covariance: Float[np.ndarray, "c c"]
    noise: float

    @classmethod
    def of(cls, pool: Pool, names: float, noise: float) -> Prior:
        """By the pool's texts; without them, or of two classes, each class stands alone."""
        count = len(pool.classes)
        if pool.texts is None or not names or count < 3:
            return cls(covariance=np.eye(count), noise=noise)
        texts = _unit(pool.texts.astype(np.float64))
        alike = _unit(texts - texts.mean(axis=0))
        return cls(covariance=(1 - names) * np.eye(count) + names * alike @ alike.T, noise=noise)

    def means(self, sums: Sums) -> Float[np.ndarray, "c d"]:
        """Directions of the posterior means."""
        return _unit(posterior_means(sums, self.covariance, self.noise)).astype(np.float32)

    def told(self, sums: Sums) -> Bool[np.ndarray, " c"]:
        """Classes of which anything is known: a label, or a name beside a labelled class."""
        return np.asarray(np.abs(self.covariance) @ sums.counts > 1e-9)


def posterior_means(sums: Sums, covariance: Float[np.ndarray, "c c"], noise: float) -> Float[np.ndarray, "c d"]:
    """K (K + noise / counts)^-1 (sums / counts), also where a count is 0.

    With W^2 the counts it is K W (W K W + noise)^-1 W^-1 sums.
    """
    root = np.sqrt(sums.counts)
    system = root[:, None] * covariance * root + noise * np.eye(len(root))
    scaled = np.divide(sums.sums, root[:, None], out=np.zeros_like(sums.sums), where=root[:, None] > 1e-6)
    return (covariance * root) @ np.linalg.solve(system, scaled)


def shots(directions: Float[np.ndarray, "n d"], pool: Pool, labelled: Labelled, shot: float) -> Sums:
    """Labelled items, and beside them what names point at: `shot` items a class, in the direction of its likeliest ones.

    That is as many as labels bear out: see `trust`.
    """
    known = Sums.of(directions[labelled.rows], one_hot(labelled.classes, len(pool.classes)))
    if pool.by_names is None or not shot:
        return known
    return known.plus(_named(directions, pool), shot * trust(pool.by_names[labelled.rows], labelled.classes))


def trust(said: Probabilities, classes: Int[np.ndarray, " m"]) -> float:
    """How far labels bear names out: 1 without any label, and where names are right more often than by chance.

    min(1, B) with the Bayes factor B = integral of q^h (1 - q)^(m - h) dq / (1 - p) over p < q < 1, to p^h (1 - p)^(m - h), of
    h hits among m labels and p the chance, one in all classes: names are right at an unknown rate above it, or at it. So names
    of a space that does not know the classes give way to some labels. Source: Kass and Raftery 1995, "Bayes factors", eq. 1.
    """
    told = np.isfinite(said).all(axis=1)
    count, chance = int(told.sum()), 1 / said.shape[1]
    if not count or said.shape[1] < 2:
        return 1.0
    from scipy.special import betaincc, betaln  # a moment that whoever only reads a project need not wait

    right = int((said[told].argmax(axis=1) == classes[told]).sum())
    above = betaincc(right + 1, count - right + 1, chance)
    if not above:
        return 0.0
    rate = betaln(right + 1, count - right + 1) + np.log(above) - np.log1p(-chance)
    return float(np.exp(min(0.0, rate - right * np.log(chance) - (count - right) * np.log1p(-chance))))


def _named(directions: Float[np.ndarray, "n d"], pool: Pool) -> Sums:
    """One item a class: the mean of all items by how likely its name is, less the mean of all."""
    assert pool.by_names is not None
    told = np.flatnonzero(np.isfinite(pool.by_names).all(axis=1))
    if not len(told):
        return Sums(sums=np.zeros((len(pool.classes), directions.shape[1])), counts=np.zeros(len(pool.classes)))
    shares, items = pool.by_names[told].astype(np.float64), directions[told].astype(np.float64)
    weighed = (shares.T @ items) / np.maximum(shares.sum(axis=0), 1e-12)[:, None]
    return Sums(sums=_unit(weighed - items.mean(axis=0)), counts=np.ones(len(pool.classes)))


def _unit(values: Float[np.ndarray, "n d"]) -> Float[np.ndarray, "n d"]:
    """Rows of length 1, in the precision that they have; rows of zeros stay."""
    return values / np.maximum(np.linalg.norm(values, axis=1, keepdims=True), 1e-12)
