"""The rotation that brings latents nearest to their texts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from scipy.linalg import svd

from textanchor.aligners.closed_form import closed_form, solved
from textanchor.aligners.comparison import Comparison
from textanchor.aligners.moments import means
from textanchor.aligners.ridge import linear
from textanchor.aligners.selection import Branches, Path, Point
from textanchor.projectors.linear import Linear
from textanchor.records import Fit, PairedLatents, Task
from textanchor.settings import ViewName


class Procrustes:
    """min ||s X R - Y|| over scales s and R with orthonormal columns or rows, both sides centred: angles are kept.

    Where the latents have more dimensions than the anchor, R projects on the subspace that covaries with the texts. Nothing is
    tuned. Source: Schönemann 1966, doi:10.1007/BF02289451; as an aligner Smith et al. 2017, arXiv:1702.03859, section 2.
    """

    ragged = False

    def __init__(self, *, view: ViewName = "centring", hubness: str = "none") -> None:
        self.comparison = Comparison(view=view, hubness=hubness)

    def fit(self, task: Task) -> Fit:
        """One singular value decomposition."""
        return closed_form(self.path(task), self.branches(), self.comparison, task)

    def again(self, fit: Fit, task: Task) -> Fit:
        """The same values on all pairs."""
        return solved(self.path(task), fit.choice, task)

    def path(self, task: Task) -> Path:
        """The one projector."""
        return _projectors

    def branches(self) -> Branches:
        """Nothing to choose from."""
        return [[{}]]


def _projectors(pairs: PairedLatents, points: Sequence[Point]) -> Iterator[Linear]:
    mean = means(pairs)
    half = np.sqrt(pairs.mass)[:, None]
    x, y = (pairs.pooled - mean.item) * half, (pairs.targets - mean.text) * half
    left, values, right = svd(x.T @ y, full_matrices=False)
    rotation = left @ right
    weight = rotation * (values.sum() / max(float(((x @ rotation) ** 2).sum()), 1e-12))
    return (linear(weight, mean.text - mean.item @ weight) for _ in points)
