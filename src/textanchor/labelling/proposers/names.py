"""What the classes' names alone say."""

from __future__ import annotations

import numpy as np

from textanchor.labelling.pool import Labelled, Pool, Probabilities
from textanchor.labelling.proposers.likelihoods import even


class Names:
    """Probabilities from names, by a space or by the encoder's own (`Pool.by_names`); labels teach nothing."""

    name = "names"

    def propose(self, pool: Pool, labelled: Labelled, *, seed: int = 0) -> Probabilities:
        """All classes alike where names say nothing."""
        found = even(len(pool), len(pool.classes))
        if pool.by_names is not None:
            told = np.isfinite(pool.by_names).all(axis=1)
            found[told] = pool.by_names[told]
        return found
