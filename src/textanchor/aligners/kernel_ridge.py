"""Kernel ridge regression with a Gaussian kernel, in closed form."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

import numpy as np
import torch
from jaxtyping import Float64
from scipy.linalg import cho_factor, cho_solve, cholesky, solve_triangular

from textanchor.aligners.selection import best, score
from textanchor.projectors.kernel import Kernel, gaussian
from textanchor.records import Fit, PairedLatents, Unpaired
from textanchor.views.centring import centring

WIDTHS = (0.5, 1.0, 2.0)
ALPHAS = (1e-3, 1e-2, 1e-1)
DEFAULT = (1.0, 1e-2)
LANDMARKS = 3000
JITTER = 1e-8


class KernelRidge:
    """Ridge regression in the feature space of exp(-gamma ||x - y||^2), on centred anchors.

    `width` is gamma times the mean squared distance of two training latents; `alpha` is the penalty beside a kernel whose
    diagonal is 1. Latents are centred and never scaled per dimension: noise directions of small variance must stay small.
    Up to 3000 items every item is a landmark and the solution is exact; beyond, 3000 random ones give Nystroem's.
    Sources: Saunders et al. 1998 (dual form); Williams and Seeger 2001 (Nystroem); Rudi et al. 2015, arXiv:1507.04717, eq. 7.
    """

    ragged = False

    def __init__(self, *, width: float | None = None, alpha: float | None = None, landmarks: int = LANDMARKS) -> None:
        self.width, self.alpha, self.landmarks = width, alpha, landmarks

    def fit(self, train: PairedLatents, val: PairedLatents | None, unpaired: Unpaired, *, seed: int) -> Fit:
        """Choose `width` and `alpha` on validation unless they are given, then solve for train and validation together."""
        widths = (self.width,) if self.width is not None else WIDTHS if val is not None else DEFAULT[:1]
        alphas = (self.alpha,) if self.alpha is not None else ALPHAS if val is not None else DEFAULT[1:]
        solver, view = self._solver(train, seed), centring(train.anchors)
        grid = list(product(widths, alphas))
        if val is None:
            report = {"width": widths[0], "alpha": alphas[0], "landmarks": solver.size, "chosen on": "default"}
            return Fit(projector=next(solver.path(widths, alphas)), view=view, report=report)
        rates = [score(made, view, val) for made in solver.path(widths, alphas)]
        (width, alpha), rate = best(grid, lambda key: rates[grid.index(key)])
        both = train.joined(val)
        solver = self._solver(both, seed)
        report = {"width": width, "alpha": alpha, "landmarks": solver.size, "score": rate}
        return Fit(
            projector=next(solver.path((width,), (alpha,))),
            view=centring(both.anchors),
            report={**report, "chosen on": "validation" if len(grid) > 1 else "default"},
        )

    def _solver(self, pairs: PairedLatents, seed: int) -> _Solver:
        x, y = pairs.items.vectors.astype(np.float64), pairs.targets.astype(np.float64)
        return _Solver(x, y, landmarks=self.landmarks, seed=seed)


class _Solver:
    def __init__(self, x: Float64[np.ndarray, "n d"], y: Float64[np.ndarray, "n k"], *, landmarks: int, seed: int) -> None:
        self.x_mean, self.y_mean = x.mean(axis=0), y.mean(axis=0)
        self.x, self.y = x - self.x_mean, y - self.y_mean
        self.distance = max(2 * float(self.x.var(axis=0).sum()), 1e-12)
        chosen = np.sort(np.random.default_rng(seed).permutation(len(x))[:landmarks])
        self.marks = self.x[chosen]
        self.size = len(chosen)

    def path(self, widths: tuple[float, ...], alphas: tuple[float, ...]) -> Iterator[Kernel]:
        """One projector for each width and alpha, in the order of their product."""
        for width in widths:
            gamma = width / self.distance
            solve = self._exact(gamma) if self.size == len(self.x) else self._nystroem(gamma)
            for alpha in alphas:
                yield self._projector(gamma, solve(alpha))

    def _exact(self, gamma: float):  # type: ignore[no-untyped-def]
        kernel = _gaussian(self.x, self.x, gamma)
        return lambda alpha: cho_solve(cho_factor(kernel + alpha * np.eye(self.size)), self.y)

    def _nystroem(self, gamma: float):  # type: ignore[no-untyped-def]
        root = cholesky(_gaussian(self.marks, self.marks, gamma) + JITTER * np.eye(self.size), lower=True)
        features = solve_triangular(root, _gaussian(self.marks, self.x, gamma), lower=True).T
        gram, right = features.T @ features, features.T @ self.y
        return lambda alpha: solve_triangular(
            root, cho_solve(cho_factor(gram + alpha * np.eye(self.size)), right), lower=True, trans="T"
        )

    def _projector(self, gamma: float, coefficients: Float64[np.ndarray, "m k"]) -> Kernel:
        made = Kernel(dim_in=self.x.shape[1], dim_out=self.y.shape[1], landmarks=self.size)
        state = {
            "mean": self.x_mean,
            "gamma": np.asarray(gamma),
            "landmarks": self.marks,
            "coefficients": coefficients,
            "offset": self.y_mean,
        }
        made.load_state_dict({key: torch.from_numpy(np.array(value, dtype=np.float32)) for key, value in state.items()})
        return made.eval()


def _gaussian(x: Float64[np.ndarray, "n d"], y: Float64[np.ndarray, "m d"], gamma: float) -> Float64[np.ndarray, "n m"]:
    return gaussian(torch.from_numpy(x), torch.from_numpy(y), gamma).numpy()
