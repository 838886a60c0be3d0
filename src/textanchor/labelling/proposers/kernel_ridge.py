"""Kernel ridge regression onto the classes."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np
from jaxtyping import Float, Float32, Int

from textanchor.labelling.pool import Features, Labelled, Pool, Probabilities
from textanchor.labelling.proposers.likelihoods import even, one_hot, proportional
from textanchor.labelling.proposers.sights import over_sights
from textanchor.settings import Count, Numbers

PENALTIES = tuple(float(10**power) for power in np.arange(-4, 1.5, 0.5))  # of the kernel's diagonal, which is 1
INVERSES = tuple(float(2**power) for power in np.arange(0, 7, 0.5))  # of temperatures
CHUNK = 8192


class KernelRidge:
    """Ridge regression in a Gaussian kernel from features onto a column a class, 1 where an item is of it; softmax of that.

    The kernel's width is `width` times the median distance of labelled items. Penalty, width and temperature are those of the
    smallest log loss where each labelled item's unit (its group, or its equals) is left out, which needs one eigendecomposition
    a width and no further fit. Beyond `landmarks` labelled items that many of them carry the kernel (Nystroem).

    Sources: Rifkin, Yeo and Poggio 2003, "Regularized least-squares classification"; leaving out a block, Golub and Van Loan's
    Woodbury identity: its residuals are (I - H_BB)^-1 (y - H y)_B; Williams and Seeger 2001, "Using the Nystroem method".
    """

    name = "kernel-ridge"

    def __init__(self, *, widths: Numbers = (1.0,), landmarks: Count = 2000, smoothed: bool = True) -> None:
        self._widths, self._landmarks, self._smoothed = tuple(float(one) for one in widths), landmarks, smoothed

    def propose(self, pool: Pool, labelled: Labelled, *, seed: int = 0) -> Probabilities:
        """Probabilities of all classes; those without a label share what the others leave."""
        return over_sights(pool, labelled, partial(self._asked, seed))

    def _asked(self, seed: int, sight: Features, pool: Pool, labelled: Labelled) -> Probabilities:
        values = sight.smoothed if self._smoothed else sight.values
        if not len(labelled):
            return even(len(values), len(pool.classes))
        targets = one_hot(labelled.classes, len(pool.classes)).astype(np.float64) - 1 / len(pool.classes)
        known, units = values[labelled.rows].astype(np.float64), pool.units[labelled.rows]
        places = np.random.default_rng(seed).permutation(len(known))[: self._landmarks]
        median = _median_distance(known, seed)
        fits = [_fitted(known, places, targets, units, width * median) for width in self._widths]
        best = min(fits, key=lambda fit: fit.loss)
        return np.concatenate([best(values[start : start + CHUNK]) for start in range(0, len(values), CHUNK)])


@dataclass(frozen=True, kw_only=True)
class _Fit:
    places: Float[np.ndarray, "l d"]
    weights: Float[np.ndarray, "l c"]
    width: float
    inverse: float
    loss: float

    def __call__(self, values: Float32[np.ndarray, "n d"]) -> Probabilities:
        return proportional(self.inverse * gaussian(values, self.places, self.width) @ self.weights)


def gaussian(some: Float[np.ndarray, "n d"], others: Float[np.ndarray, "m d"], width: float) -> Float[np.ndarray, "n m"]:
    """exp(-|x - y|^2 / (2 width^2))."""
    squares = (some**2).sum(axis=1)[:, None] + (others**2).sum(axis=1) - 2 * some @ others.T
    return np.exp(np.maximum(squares, 0) / (-2 * width**2))


def _median_distance(values: Float[np.ndarray, "m d"], seed: int) -> float:
    some = values[np.random.default_rng(seed).permutation(len(values))[:1000]]
    squares = (some**2).sum(axis=1)[:, None] + (some**2).sum(axis=1) - 2 * some @ some.T
    apart = squares[np.triu_indices(len(some), 1)]
    return float(np.sqrt(np.median(apart))) if len(apart) and np.median(apart) > 1e-12 else 1.0


def _fitted(
    known: Float[np.ndarray, "m d"],
    places: Int[np.ndarray, " l"],
    targets: Float[np.ndarray, "m c"],
    units: Int[np.ndarray, " m"],
    width: float,
) -> _Fit:
    solved = _Solved.of(gaussian(known, known[places], width), places)
    tried = [_tried(solved.left, solved.shrinkage(penalty), targets, units) for penalty in PENALTIES]
    loss, inverse, penalty = min((loss, inverse, penalty) for (loss, inverse), penalty in zip(tried, PENALTIES, strict=True))
    return _Fit(
        places=known[places].astype(np.float32),
        weights=solved.weights(penalty, targets).astype(np.float32),
        width=width,
        inverse=inverse,
        loss=loss,
    )


@dataclass(frozen=True, kw_only=True)
class _Solved:
    """The kernel, or its Nystroem approximation, as `left` diag(`spread`) `left`'; `back` leads from rows of the kernel."""

    left: Float[np.ndarray, "m k"]
    spread: Float[np.ndarray, " k"]
    back: Float[np.ndarray, "l k"]

    @classmethod
    def of(cls, kernel: Float[np.ndarray, "m l"], places: Int[np.ndarray, " l"]) -> _Solved:
        spread, directions = np.linalg.eigh(kernel[places])
        kept = spread > 1e-8 * spread[-1]
        spread, directions = spread[kept], directions[:, kept]
        if len(places) == len(kernel):
            left = np.empty_like(directions)
            left[places] = directions
            return cls(left=left, spread=spread, back=directions / spread)
        basis = kernel @ (directions / np.sqrt(spread))
        left, values, right = np.linalg.svd(basis, full_matrices=False)
        return cls(left=left, spread=values**2, back=(directions / np.sqrt(spread)) @ right.T / values)

    def shrinkage(self, penalty: float) -> Float[np.ndarray, " k"]:
        return self.spread / (self.spread + penalty)

    def weights(self, penalty: float, targets: Float[np.ndarray, "m c"]) -> Float[np.ndarray, "l c"]:
        return self.back @ (self.shrinkage(penalty)[:, None] * (self.left.T @ targets))


def _tried(
    left: Float[np.ndarray, "m k"], shrinkage: Float[np.ndarray, " k"], targets: Float[np.ndarray, "m c"], units: np.ndarray
) -> tuple[float, float]:
    """Log loss of each unit's items by a fit without the unit, and the inverse temperature at which it is smallest."""
    scores = left_out(left, shrinkage, targets, units)
    right = targets.argmax(axis=1)
    losses = [_log_loss(inverse * scores, right) for inverse in INVERSES]
    return min(losses), INVERSES[int(np.argmin(losses))]


def left_out(
    left: Float[np.ndarray, "m k"], shrinkage: Float[np.ndarray, " k"], targets: Float[np.ndarray, "m c"], units: np.ndarray
) -> Float[np.ndarray, "m c"]:
    """What fits without an item's unit say of it, where H = `left` diag(`shrinkage`) `left`' is the fit to all of `targets`."""
    residuals = targets - (left * shrinkage) @ (left.T @ targets)
    own = 1 - (left**2 * shrinkage).sum(axis=1)
    found = targets - residuals / np.maximum(own, 1e-9)[:, None]
    order = np.argsort(units, kind="stable")
    for rows in np.split(order, np.flatnonzero(np.diff(units[order])) + 1):
        if len(rows) > 1:
            block = np.eye(len(rows)) - (left[rows] * shrinkage) @ left[rows].T
            found[rows] = targets[rows] - np.linalg.solve(block + 1e-9 * np.eye(len(rows)), residuals[rows])
    return found


def _log_loss(scores: Float[np.ndarray, "m c"], right: Int[np.ndarray, " m"]) -> float:
    top = scores.max(axis=1, keepdims=True)
    return float((top[:, 0] + np.log(np.exp(scores - top).sum(axis=1)) - scores[np.arange(len(right)), right]).mean())
