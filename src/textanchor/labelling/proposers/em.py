"""Soft k-means over all items, labelled and not, whose classes lie where labels and names say."""

from __future__ import annotations

from functools import partial

import numpy as np
from jaxtyping import Float32, Int

from textanchor.labelling.pool import Features, Labelled, Pool, Probabilities
from textanchor.labelling.proposers.class_means import Prior, Sums, shots
from textanchor.labelling.proposers.likelihoods import NEVER, even, proportional
from textanchor.labelling.proposers.sights import over_sights
from textanchor.settings import Amount, Count, Positive, Share, Whole
from textanchor.views import unit

FITTED = 10_000  # items without a label that move the means


class EM:
    """A mixture of directions, one a class, fitted to all items by expectation-maximisation; labels stay what they are.

    Means have the prior that names give (`class_means.Prior`, `names`, `noise`), and `shot` items a class that names point at
    where the pool knows. `concentration` is how much a cosine counts, `weight` how much an item without a label counts
    beside one with. What is proposed is the mean of `voices` such mixtures, each of which sees a share `seen` of the features
    drawn at random: one alone is sure of nearly everything after some rounds; several are sure where they agree, which ranks
    right before wrong.

    Sources: Nigam et al. 2000, "Text classification from labeled and unlabeled documents using EM", section 5.1 for `weight`;
    Banerjee et al. 2005, "Clustering on the unit hypersphere", for directions; Ho 1998, "The random subspace method".
    """

    name = "em"

    def __init__(
        self,
        *,
        concentration: Positive = 10.0,
        names: Share = 0.5,
        noise: Positive = 1.0,
        shot: Amount = 1.0,
        weight: Amount = 1.0,
        rounds: Whole = 10,
        voices: Count = 8,
        seen: Share = 0.75,
        smoothed: bool = True,
    ) -> None:
        self._concentration, self._names, self._noise, self._shot = concentration, names, noise, shot
        self._weight, self._rounds, self._voices, self._seen = weight, rounds, voices, seen
        self._smoothed = smoothed

    def propose(self, pool: Pool, labelled: Labelled, *, seed: int = 0) -> Probabilities:
        """Probabilities of all classes that have a label or a name; without either all are alike."""
        return over_sights(pool, labelled, partial(self._asked, seed))

    def _asked(self, seed: int, sight: Features, pool: Pool, labelled: Labelled) -> Probabilities:
        values = sight.smoothed if self._smoothed else sight.values
        prior = Prior.of(pool, self._names, self._noise)
        rest = _some_of(np.setdiff1d(np.arange(len(values)), labelled.rows), seed)
        total = np.zeros((len(values), len(pool.classes)), dtype=np.float32)
        for voice in range(self._voices):
            directions = unit(values[:, self._features(values.shape[1], seed, voice)])
            known = shots(directions, pool, labelled, self._shot)
            if not prior.told(known).any():
                return even(len(values), len(pool.classes))
            total += self._one(directions, known, prior, rest)
        return total / self._voices

    def _features(self, count: int, seed: int, voice: int) -> Int[np.ndarray, " k"]:
        if self._voices == 1:
            return np.arange(count)
        return np.random.default_rng([seed, voice]).permutation(count)[: max(1, round(self._seen * count))]

    def _one(
        self, directions: Float32[np.ndarray, "n d"], known: Sums, prior: Prior, rest: Int[np.ndarray, " r"]
    ) -> Probabilities:
        barred = np.where(prior.told(known), 0.0, NEVER).astype(np.float32)
        means, others = prior.means(known), directions[rest]
        for _ in range(self._rounds if self._weight else 0):
            shares = proportional(self._concentration * others @ means.T + barred)
            means = prior.means(known.plus(Sums.of(others, shares), self._weight))
        return proportional(self._concentration * directions @ means.T + barred)


def _some_of(rows: Int[np.ndarray, " n"], seed: int) -> Int[np.ndarray, " r"]:
    return rows if len(rows) <= FITTED else np.random.default_rng(seed).choice(rows, FITTED, replace=False)
