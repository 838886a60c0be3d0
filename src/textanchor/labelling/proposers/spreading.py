"""Labels spread along a graph of neighbours."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from textanchor.labelling.neighbours import Neighbours
from textanchor.labelling.pool import Features, Labelled, Pool, Probabilities
from textanchor.labelling.proposers.likelihoods import one_hot
from textanchor.labelling.proposers.sights import over_sights
from textanchor.settings import Count, Share

if TYPE_CHECKING:
    from scipy.sparse import csr_array


class Spreading:
    """Labels flow along the neighbours of a crowd; each item then takes what its own neighbours have.

    In the crowd F = `spread` S F + (1 - `spread`) Y, with S = D^-1/2 W D^-1/2 of the weights between neighbours, in `rounds`
    steps. A class has one label in all, so that classes with many labels do not flood the others. Labelled items join the
    crowd as what their neighbours hand on of them.
    Source: Zhou et al. 2003, "Learning with local and global consistency", section 2; a crowd as in Delalleau, Bengio and
    Le Roux 2005, "Efficient non-parametric function induction in semi-supervised learning", eq. 7.
    """

    name = "spreading"

    def __init__(self, *, spread: Share = 0.8, rounds: Count = 30) -> None:
        self._spread, self._rounds = spread, rounds

    def propose(self, pool: Pool, labelled: Labelled, *, seed: int = 0) -> Probabilities:
        """What reaches an item, as shares of it; all classes alike where nothing does."""
        return over_sights(pool, labelled, self._asked)

    def _asked(self, sight: Features, pool: Pool, labelled: Labelled) -> Probabilities:
        near, count = sight.neighbours, len(pool.classes)
        said = np.zeros((len(pool), count), dtype=np.float32)
        said[labelled.rows] = one_hot(labelled.classes, count)
        said /= np.maximum(said.sum(axis=0), 1)
        source = said[near.crowd] + _handed_on(near, said, labelled)
        flows, found = _flows(near), source
        for _ in range(self._rounds):
            found = self._spread * (flows @ found) + (1 - self._spread) * source
        reached = near.means(found)
        total = reached.sum(axis=1, keepdims=True)
        return np.where(total > 1e-20, reached / np.maximum(total, 1e-20), 1 / count).astype(np.float32)


def _flows(near: Neighbours) -> csr_array:
    from scipy.sparse import csr_array, diags_array

    between = near.weights[near.crowd]
    both = between.maximum(between.T)
    root = diags_array(1 / np.sqrt(np.maximum(np.asarray(both.sum(axis=1)).ravel(), 1e-12)))
    return csr_array(root @ both @ root).astype(np.float32)


def _handed_on(near: Neighbours, said: Probabilities, labelled: Labelled) -> Probabilities:
    """Labels of items outside the crowd, to those of the crowd that are near them."""
    outside = labelled.rows[~np.isin(labelled.rows, near.crowd)]
    weights = near.weights[outside]
    share = np.maximum(np.asarray(weights.sum(axis=1)).reshape(-1, 1), 1e-12)
    return np.asarray(weights.T @ (said[outside] / share), dtype=np.float32)
