"""Ridge regression in closed form."""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Float64
from scipy.linalg import eigh

from textanchor.aligners.selection import best, score
from textanchor.projectors.linear import Linear
from textanchor.records import Fit, PairedLatents, Unpaired
from textanchor.views.centring import centring

ALPHAS = (1e-3, 1e-2, 1e-1, 1.0, 10.0)
DEFAULT_ALPHA = 0.1


class Ridge:
    """Least squares from latents to mean anchor vectors with an L2 penalty, both sides centred.

    `alpha` is the penalty in units of the latents' mean variance per dimension.
    Source: Hoerl and Kennard 1970, doi:10.1080/00401706.1970.10488634, equation 2.1.
    """

    ragged = False

    def __init__(self, *, alpha: float | None = None) -> None:
        self.alpha = alpha

    def fit(self, train: PairedLatents, val: PairedLatents | None, unpaired: Unpaired, *, seed: int) -> Fit:
        """Choose `alpha` on validation unless it is given, then solve for train and validation together."""
        told = (self.alpha,) if self.alpha is not None else ALPHAS if val is not None else (DEFAULT_ALPHA,)
        path, view = _path(train), centring(train.anchors)
        if val is None:
            return Fit(projector=path.projector(told[0]), view=view, report={"alpha": told[0], "chosen on": "default"})
        alpha, rate = best(told, lambda alpha: score(path.projector(alpha), view, val))
        both = train.joined(val)
        report = {"alpha": alpha, "chosen on": "validation" if len(told) > 1 else "default", "score": rate}
        return Fit(projector=_path(both).projector(alpha), view=centring(both.anchors), report=report)


def _path(pairs: PairedLatents) -> _Path:
    return _Path(pairs.items.vectors.astype(np.float64), pairs.targets.astype(np.float64))


class _Path:
    """Solutions for all penalties from one eigendecomposition, of the smaller Gram matrix."""

    def __init__(self, x: Float64[np.ndarray, "n d"], y: Float64[np.ndarray, "n k"]) -> None:
        self.x_mean, self.y_mean = x.mean(axis=0), y.mean(axis=0)
        x, y = x - self.x_mean, y - self.y_mean
        self.dual = len(x) < x.shape[1]
        self.values, self.basis = eigh(x @ x.T if self.dual else x.T @ x)
        self.right = self.basis.T @ (y if self.dual else x.T @ y)
        self.left = x.T @ self.basis if self.dual else self.basis
        self.unit = float((x**2).sum()) / x.shape[1]

    def projector(self, alpha: float) -> Linear:
        weight = self.left @ (self.right / (np.maximum(self.values, 0) + alpha * max(self.unit, 1e-12))[:, None])
        made = Linear(dim_in=weight.shape[0], dim_out=weight.shape[1])
        with torch.no_grad():
            made.map.weight.copy_(torch.from_numpy(weight.T))
            made.map.bias.copy_(torch.from_numpy(self.y_mean - self.x_mean @ weight))
        return made.eval()
