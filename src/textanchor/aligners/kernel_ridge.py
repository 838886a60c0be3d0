"""Kernel ridge regression with a Gaussian kernel, in closed form."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from typing import cast

import numpy as np
import torch
from jaxtyping import Float64
from scipy.linalg import cho_factor, cho_solve, cholesky, solve_triangular
from scipy.linalg.blas import dsyrk
from torch import Tensor

from textanchor.aligners.closed_form import by_default, chosen, noted, solved
from textanchor.aligners.comparison import Comparison, drawn
from textanchor.aligners.moments import centred, means
from textanchor.aligners.selection import Branches, Point, Selection, away_from
from textanchor.projectors.kernel import Kernel, gaussian
from textanchor.records import Fit, PairedLatents, Task
from textanchor.settings import Count, Penalty, ViewName, Width

WIDTHS = (0.5, 1.0, 2.0)
ALPHAS = (1e-3, 1e-2, 1e-1, 1.0, 3.0)
DEFAULT = (1.0, 1e-2)
EXACT, LANDMARKS = 6000, 2500
JITTER = 1e-8

Solve = Callable[[float], Float64[np.ndarray, "m k"]]


class KernelRidge:
    """Ridge regression in the feature space of exp(-gamma ||x - y||^2), on centred anchors.

    `width` is gamma times the mean squared distance of two training latents; `alpha` is the penalty beside a kernel whose
    diagonal is 1. Latents are centred and never scaled per dimension: noise directions of small variance must stay small.
    `view` and `hubness` name how its vectors are compared, `auto` chooses; under the `canonical` view it is kernel CCA.
    Up to 6000 items every item is a landmark and the solution is exact; beyond, 2500 random ones give Nystroem's. `landmarks`
    sets another number of them for both.
    Sources: Saunders et al. 1998 (dual form); Williams and Seeger 2001 (Nystroem); Rudi et al. 2015, arXiv:1507.04717, eq. 7.
    """

    ragged = False

    def __init__(
        self,
        *,
        width: Width | None = None,
        alpha: Penalty | None = None,
        landmarks: Count | None = None,
        view: ViewName = "centring",
        hubness: str = "none",
    ) -> None:
        self.width, self.alpha, self.landmarks = width, alpha, landmarks
        self.comparison = Comparison(view=view, hubness=hubness)

    def fit(self, task: Task) -> Fit:
        """Choose `alpha` at the default width, then `width`, on validation unless they are given; then solve for both sides."""
        path, penalties = self.path(task), self.branches()
        if task.val is None:
            return _counted(by_default(path, penalties, self.comparison, task))
        selection = Selection(self.comparison, task, task.val)
        leader = selection.walk(path, penalties).leader
        alpha = float(leader[0].settings["alpha"])
        widths = away_from(DEFAULT[0], WIDTHS) if self.width is None else [[self.width]]
        breadths = [[_point(width, alpha) for width in branch] for branch in widths]
        top = selection.top(selection.walk(path, breadths, first=leader).finalists)
        searched = self.alpha is None or self.width is None or self.comparison != self.comparison.first
        return _counted(chosen(path, selection, top, task, searched=searched))

    def again(self, fit: Fit, task: Task) -> Fit:
        """The same values on all pairs."""
        return _counted(solved(self.path(task), fit.choice, task))

    def path(self, task: Task) -> _Path:
        """Projectors by `width` and `alpha`."""
        return _Path(landmarks=self.landmarks, seed=task.seed)

    def branches(self) -> Branches:
        """Penalties at the width that is given, or the default one."""
        alphas = away_from(DEFAULT[1], ALPHAS) if self.alpha is None else [[self.alpha]]
        return [[_point(self.width or DEFAULT[0], alpha) for alpha in branch] for branch in alphas]


def _point(width: float, alpha: float) -> Point:
    return {"width": width, "alpha": alpha}


def _counted(fit: Fit) -> Fit:
    return noted(fit, landmarks=len(cast(Tensor, fit.projector.landmarks)))


class _Path:
    """Projectors along points of the grid; what was worked out for the same pairs just before is not worked out again."""

    def __init__(self, *, landmarks: int | None, seed: int) -> None:
        self._landmarks, self._seed = landmarks, seed
        self._solver: _Solver | None = None

    def __call__(self, pairs: PairedLatents, points: Sequence[Point]) -> Iterator[Kernel]:
        if not points:
            return
        if self._solver is None or self._solver.pairs is not pairs:
            limit = self._landmarks or (EXACT if len(pairs.items) <= EXACT else LANDMARKS)
            self._solver = _Solver(pairs, landmarks=limit, seed=self._seed)
        yield from self._solver.path([(float(point["width"]), float(point["alpha"])) for point in points])


class _Solver:
    """Solutions on some pairs by width and penalty; sums over the items are taken block by block, the last width's are kept."""

    def __init__(self, pairs: PairedLatents, *, landmarks: int, seed: int) -> None:
        self.pairs, self.mean = pairs, means(pairs)
        squares = sum(float((x**2 * mass).sum()) for x, _, mass in centred(pairs, self.mean))
        self.distance = max(2 * squares / max(float(pairs.mass.sum()), 1e-12), 1e-12)
        self.marks = pairs.pooled[drawn(len(pairs.items), landmarks, seed=seed)] - self.mean.item
        self.size = len(self.marks)
        self._latest: tuple[float, Solve] | None = None

    def path(self, grid: Sequence[tuple[float, float]]) -> Iterator[Kernel]:
        """One projector for each (width, alpha); equal widths that follow each other share their kernel."""
        for width, points in groupby(grid, key=lambda point: point[0]):
            gamma = width / self.distance
            for _, alpha in points:
                yield self._projector(gamma, self._solve(gamma)(alpha))

    def _solve(self, gamma: float) -> Solve:
        if self._latest is None or self._latest[0] != gamma:
            self._latest = None  # what it holds is large
            self._latest = gamma, self._exact(gamma) if self.size == len(self.pairs.items) else self._nystroem(gamma)
        return self._latest[1]

    def _exact(self, gamma: float) -> Solve:
        kernel, targets = _gaussian(self.marks, self.marks, gamma), self.pairs.targets - self.mean.text
        looser = 1 / np.maximum(self.pairs.mass, 1e-6)  # what counts less may be missed by more
        return lambda alpha: cho_solve(_penalised(kernel, alpha * looser), targets, check_finite=False)

    def _nystroem(self, gamma: float) -> Solve:
        root = _gaussian(self.marks, self.marks, gamma)
        root.flat[:: self.size + 1] += JITTER
        root = cholesky(root, lower=True, overwrite_a=True, check_finite=False)
        gram, right = np.zeros((self.size, self.size), order="F"), np.zeros((self.size, len(self.mean.text)))
        for x, y, mass in centred(self.pairs, self.mean):
            features = solve_triangular(
                root, _gaussian(x, self.marks, gamma).T, lower=True, overwrite_b=True, check_finite=False
            )
            half = np.sqrt(mass)
            features *= half.T
            gram = dsyrk(1.0, features, beta=1.0, c=gram, overwrite_c=True)  # the upper triangle, which is all that is read
            right += features @ (y * half)
        return lambda alpha: solve_triangular(root, cho_solve(_penalised(gram.T, alpha), right), lower=True, trans="T")

    def _projector(self, gamma: float, coefficients: Float64[np.ndarray, "m k"]) -> Kernel:
        projector = Kernel(dim_in=len(self.mean.item), dim_out=len(self.mean.text), landmarks=self.size)
        state = {
            "mean": self.mean.item,
            "gamma": np.asarray(gamma),
            "landmarks": self.marks,
            "coefficients": coefficients,
            "offset": self.mean.text,
        }
        projector.load_state_dict({key: torch.from_numpy(np.array(value, dtype=np.float32)) for key, value in state.items()})
        return projector.eval()


def _penalised(gram: Float64[np.ndarray, "m m"], alpha: float | np.ndarray) -> tuple[np.ndarray, bool]:
    """The Cholesky factor of a Gram matrix with a penalty, or one for each row, on its diagonal; one copy is made."""
    copy = np.array(gram.T, order="F")
    copy[np.diag_indices_from(copy)] += alpha
    factor: tuple[np.ndarray, bool] = cho_factor(copy, overwrite_a=True, check_finite=False)
    return factor


def _gaussian(x: Float64[np.ndarray, "n d"], y: Float64[np.ndarray, "m d"], gamma: float) -> Float64[np.ndarray, "n m"]:
    return gaussian(torch.from_numpy(x), torch.from_numpy(y), gamma).numpy()
