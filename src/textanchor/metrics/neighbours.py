"""Agreement of neighbours' labels."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, Shaped
from sklearn.neighbors import KNeighborsClassifier


def knn_hits(points: Shaped[np.ndarray, "n d"], labels: Sequence[str], *, k: int = 5) -> Bool[np.ndarray, " n"] | None:
    """Whether each point's label wins the vote of its k nearest others; None where the typical label has not more than k.

    Source: leave-one-out k-nearest-neighbour rule, Cover and Hart 1967, doi:10.1109/TIT.1967.1053964.
    """
    names, codes, uses = np.unique(np.asarray(labels, dtype=object).astype(str), return_inverse=True, return_counts=True)
    if not len(points) or np.median(uses[codes]) <= k:
        return None
    others = KNeighborsClassifier(n_neighbors=k).fit(points, codes).kneighbors(return_distance=False)
    votes = np.stack([(codes[others] == code).sum(axis=1) for code in range(len(names))], axis=1)
    return np.asarray(votes.argmax(axis=1) == codes)
