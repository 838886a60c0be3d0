"""Ridge regression in closed form."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from jaxtyping import Float64
from scipy.linalg import eigh

from textanchor.aligners.closed_form import closed_form, solved
from textanchor.aligners.comparison import Comparison
from textanchor.aligners.moments import covariances, means
from textanchor.aligners.selection import Branches, Path, Point, away_from
from textanchor.projectors.linear import Linear
from textanchor.records import Fit, PairedLatents, Task
from textanchor.settings import Penalty, ViewName

ALPHAS, DEFAULT = (1e-3, 1e-2, 1e-1, 1.0, 10.0), 0.1


class Ridge:
    """Least squares from latents to mean anchor vectors with an L2 penalty, both sides centred.

    `alpha` is the penalty in units of the latents' mean variance per dimension. `view` and `hubness` name how its vectors are
    compared, `auto` chooses; under the `canonical` view it is regularised CCA.
    Source: Hoerl and Kennard 1970, doi:10.1080/00401706.1970.10488634, equation 2.1.
    """

    ragged = False

    def __init__(self, *, alpha: Penalty | None = None, view: ViewName = "centring", hubness: str = "none") -> None:
        self.alpha, self.comparison = alpha, Comparison(view=view, hubness=hubness)

    def fit(self, task: Task) -> Fit:
        """Choose `alpha` on validation unless it is given, then solve for train and validation together."""
        return closed_form(self.path(task), self.branches(), self.comparison, task)

    def again(self, fit: Fit, task: Task) -> Fit:
        """The same values on all pairs."""
        return solved(self.path(task), fit.choice, task)

    def path(self, task: Task) -> Path:
        """Projectors by `alpha`."""
        return _projectors

    def branches(self) -> Branches:
        """Penalties."""
        values = away_from(DEFAULT, ALPHAS) if self.alpha is None else [[self.alpha]]
        return [[{"alpha": alpha} for alpha in branch] for branch in values]


def _projectors(pairs: PairedLatents, points: Sequence[Point]) -> Iterator[Linear]:
    path = _Path(pairs)
    return (path.projector(float(point["alpha"])) for point in points)


class _Path:
    """Solutions for all penalties from one eigendecomposition, of the smaller Gram matrix."""

    def __init__(self, pairs: PairedLatents) -> None:
        self.mean = means(pairs)
        dim = len(self.mean.item)
        if len(pairs.items) < dim:
            half = np.sqrt(pairs.mass)[:, None]
            x, y = (pairs.pooled - self.mean.item) * half, (pairs.targets - self.mean.text) * half
            self.values, self.basis = eigh(x @ x.T)
            self.right, self.left = self.basis.T @ y, x.T @ self.basis
            self.unit = float((x**2).sum()) / dim
        else:
            gram, cross = covariances(pairs, self.mean)
            self.values, self.basis = eigh(gram)
            self.right, self.left = self.basis.T @ cross, self.basis
            self.unit = float(np.trace(gram)) / dim

    def projector(self, alpha: float) -> Linear:
        weight = self.left @ (self.right / (np.maximum(self.values, 0) + alpha * max(self.unit, 1e-12))[:, None])
        return linear(weight, self.mean.text - self.mean.item @ weight)


def linear(weight: Float64[np.ndarray, "d k"], bias: Float64[np.ndarray, " k"]) -> Linear:
    """The projector x W + b."""
    projector = Linear(dim_in=weight.shape[0], dim_out=weight.shape[1])
    with torch.no_grad():
        projector.map.weight.copy_(torch.from_numpy(weight.T))
        projector.map.bias.copy_(torch.from_numpy(bias))
    return projector.eval()
