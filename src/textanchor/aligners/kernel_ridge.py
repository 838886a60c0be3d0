"""Kernel ridge regression with a Gaussian kernel, in closed form."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from itertools import groupby
from typing import cast

import numpy as np
import torch
from jaxtyping import Float64
from scipy.linalg import cho_factor, cho_solve, cholesky, solve_triangular
from torch import Tensor

from textanchor.aligners.selection import Comparison, away_from, closed_form, select, solved
from textanchor.projectors.kernel import Kernel, gaussian
from textanchor.records import Fit, PairedLatents, Setting, Task
from textanchor.settings import Count, Positive

WIDTHS = (0.5, 1.0, 2.0)
ALPHAS = (1e-3, 1e-2, 1e-1, 1.0)
DEFAULT = (1.0, 1e-2)
LANDMARKS = 6000
JITTER = 1e-8


class KernelRidge:
    """Ridge regression in the feature space of exp(-gamma ||x - y||^2), on centred anchors.

    `width` is gamma times the mean squared distance of two training latents; `alpha` is the penalty beside a kernel whose
    diagonal is 1. Latents are centred and never scaled per dimension: noise directions of small variance must stay small.
    `view` and `hubness` name how its vectors are compared, `auto` chooses; under the `canonical` view it is kernel CCA.
    Up to 6000 items every item is a landmark and the solution is exact; beyond, 6000 random ones give Nystroem's.
    Sources: Saunders et al. 1998 (dual form); Williams and Seeger 2001 (Nystroem); Rudi et al. 2015, arXiv:1507.04717, eq. 7.
    """

    ragged = False

    def __init__(
        self,
        *,
        width: Positive | None = None,
        alpha: Positive | None = None,
        landmarks: Count = LANDMARKS,
        view: str = "centring",
        hubness: str = "none",
    ) -> None:
        self.width, self.alpha, self.landmarks = width, alpha, landmarks
        self.comparison = Comparison(view=view, hubness=hubness)

    def fit(self, task: Task) -> Fit:
        """Choose `alpha` at the default width, then `width`, on validation unless they are given; then solve for both sides."""
        path = partial(self._projectors, seed=task.seed)
        widths = away_from(DEFAULT[0], WIDTHS) if self.width is None else [[self.width]]
        alphas = away_from(DEFAULT[1], ALPHAS) if self.alpha is None else [[self.alpha]]
        alpha, searched = alphas[0][0], task.val is not None and self.alpha is None
        if task.val is not None and self.alpha is None:
            points = [[{"width": widths[0][0], "alpha": alpha} for alpha in branch] for branch in alphas]
            plain = replace(self.comparison, hubness=self.comparison.corrections[0])
            alpha = float(select(path, points, plain, task, task.val).settings["alpha"])
        branches = [[{"width": width, "alpha": alpha} for width in branch] for branch in widths]
        fit = _noted(closed_form(path, branches, self.comparison, task))
        return replace(fit, choice=replace(fit.choice, chosen_on="validation")) if searched else fit

    def again(self, fit: Fit, task: Task) -> Fit:
        """The same values on all pairs."""
        return _noted(solved(partial(self._projectors, seed=task.seed), fit.choice, task))

    def _projectors(self, pairs: PairedLatents, points: Sequence[Mapping[str, Setting]], *, seed: int) -> Iterator[Kernel]:
        x, y = pairs.pooled.astype(np.float64), pairs.targets.astype(np.float64)
        solver = _Solver(x, y, landmarks=self.landmarks, seed=seed)
        return solver.path([(float(point["width"]), float(point["alpha"])) for point in points])


def _noted(fit: Fit) -> Fit:
    count = len(cast(Tensor, fit.projector.landmarks))
    return replace(fit, choice=replace(fit.choice, notes={**fit.choice.notes, "landmarks": count}))


class _Solver:
    def __init__(self, x: Float64[np.ndarray, "n d"], y: Float64[np.ndarray, "n k"], *, landmarks: int, seed: int) -> None:
        self.x_mean, self.y_mean = x.mean(axis=0), y.mean(axis=0)
        self.x, self.y = x - self.x_mean, y - self.y_mean
        self.distance = max(2 * float(self.x.var(axis=0).sum()), 1e-12)
        chosen = np.sort(np.random.default_rng(seed).permutation(len(x))[:landmarks])
        self.marks = self.x[chosen]
        self.size = len(chosen)

    def path(self, grid: Sequence[tuple[float, float]]) -> Iterator[Kernel]:
        """One projector for each (width, alpha); equal widths that follow each other share their kernel."""
        for width, points in groupby(grid, key=lambda point: point[0]):
            gamma = width / self.distance
            solve = self._exact(gamma) if self.size == len(self.x) else self._nystroem(gamma)
            for _, alpha in points:
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
