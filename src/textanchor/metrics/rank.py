"""How many directions embeddings really use."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

SMALL = 1e-7


def rank_me(embeddings: Float[np.ndarray, "n d"]) -> float:
    """The effective rank: the exponential of the entropy of the normalised singular values; 1 for a single direction.

    It needs no labels, and falls where a representation collapses. Source: Garrido et al. 2023 (RankMe), arXiv:2210.02885,
    equations 2 and 3; Roy and Vetterli 2007 for the effective rank.
    """
    values = np.linalg.svd(np.asarray(embeddings, dtype=np.float64), compute_uv=False)
    if not values.sum():
        return 0.0
    shares = values / values.sum() + SMALL
    return float(np.exp(-(shares * np.log(shares)).sum()))
