"""A pool's items and who is near whom: what nearly every proposer needs fewer labels for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float, Float32, Int

from textanchor.views import unit

if TYPE_CHECKING:
    from scipy.sparse import csr_array

NEIGHBOURS = 5
SHARE = 0.5  # of an item that its neighbours make up
CROWD = 10_000  # items among which neighbours are sought; of more it is a random sample of that size
CHUNK = 512
EQUAL = 1e-6  # cosines this near each other are equal: x y and y x of two matrix products are not the same to the last bit


@dataclass(frozen=True, kw_only=True)
class Neighbours:
    """How much each item has of each of the crowd, as weights [n, m]; `crowd` [m] are rows, all of them in a small pool."""

    crowd: Int[np.ndarray, " m"]
    weights: csr_array

    def means(self, values: Float[np.ndarray, "m d"]) -> Float[np.ndarray, "n d"]:
        """Of each item's neighbours, by their weights; zero for an item that has none."""
        total = np.asarray(self.weights.sum(axis=1)).reshape(-1, 1)
        return np.asarray((self.weights @ values) / np.maximum(total, 1e-12), dtype=values.dtype)


def neighbours(values: Float32[np.ndarray, "n d"], count: int = NEIGHBOURS) -> Neighbours:
    """By directions. Items are neighbours if either is among the `count` nearest of the other, never of themselves.

    They weigh exp(-|x - y|^2 / (s t)), with s and t the distances of either to the last of its own: local scales of
    Zelnik-Manor and Perona 2004, "Self-tuning spectral clustering". Beyond 10,000 items neighbours are sought among a random
    10,000, for all in the same way, so that an item's neighbourhood does not depend on whether it is labelled.
    """
    from scipy.sparse import csr_array, vstack  # a moment that whoever only reads a project need not wait

    directions = unit(values)
    crowd = np.arange(len(values))
    if len(values) > CROWD:
        crowd = np.sort(np.random.default_rng(0).permutation(len(values))[:CROWD])
    if len(crowd) < 2:
        return Neighbours(crowd=crowd, weights=csr_array((len(values), len(crowd)), dtype=np.float32))
    near = _Near(directions=directions, crowd=crowd, last=min(count, len(crowd) - 1))
    reach = np.concatenate([near.reach(near.cosines(rows)) for rows in _chunks(crowd)])
    found = [near.weights(near.cosines(rows), reach) for rows in _chunks(np.arange(len(values)))]
    return Neighbours(crowd=crowd, weights=csr_array(vstack(found)))


def smoothed(values: Float32[np.ndarray, "n d"], near: Neighbours) -> Float32[np.ndarray, "n d"]:
    """Half of each item's direction and half of the mean of its neighbours'; lengths are 1 on average.

    Source: one step of the propagation of Wu et al. 2019, "Simplifying graph convolutional networks", arXiv:1902.07153, eq. 8.
    """
    directions = unit(values)
    found = (1 - SHARE) * directions + SHARE * near.means(directions[near.crowd])
    return np.asarray(found / max(np.sqrt((found**2).sum(axis=1).mean()), 1e-12), dtype=np.float32)


def _chunks(rows: Int[np.ndarray, " m"]) -> list[Int[np.ndarray, " k"]]:
    return [rows[start : start + CHUNK] for start in range(0, len(rows), CHUNK)]


@dataclass(frozen=True, kw_only=True)
class _Near:
    """A crowd to search by matrix products, a chunk of rows at a time."""

    directions: Float32[np.ndarray, "n d"]
    crowd: Int[np.ndarray, " m"]
    last: int

    def cosines(self, rows: Int[np.ndarray, " k"]) -> Float32[np.ndarray, "k m"]:
        """With all of the crowd; an item is as far from itself as can be."""
        cosines = self.directions[rows] @ self.directions[self.crowd].T
        place = np.minimum(np.searchsorted(self.crowd, rows), len(self.crowd) - 1)
        own = np.flatnonzero(self.crowd[place] == rows)
        cosines[own, place[own]] = -np.inf
        return cosines

    def reach(self, cosines: Float32[np.ndarray, "k m"]) -> Float32[np.ndarray, " k"]:
        """The cosine with the last of an item's nearest."""
        place = cosines.shape[1] - self.last
        return np.partition(cosines, place, axis=1)[:, place]

    def weights(self, cosines: Float32[np.ndarray, "k m"], reach: Float32[np.ndarray, " m"]) -> csr_array:
        """Of the rows' neighbours."""
        from scipy.sparse import csr_array

        own = self.reach(cosines)
        rows, columns = np.nonzero(cosines >= np.minimum(own[:, None], reach) - EQUAL)
        scale = 2 * np.sqrt(np.maximum((1 - own[rows]) * (1 - reach[columns]), 1e-18))
        found = np.exp(np.minimum(2 * cosines[rows, columns] - 2, 0) / scale)
        return csr_array((found.astype(np.float32), (rows, columns)), shape=cosines.shape)
