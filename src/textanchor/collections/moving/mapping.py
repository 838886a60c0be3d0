"""A map from the raw vectors of one space to those of another, fitted on items that were encoded in both."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Float64
from scipy.linalg import LinAlgError, eigh, svd

from textanchor.errors import InputError
from textanchor.records import Vectors
from textanchor.records.showing import short
from textanchor.views import unit

AUTO, AS_IS, ORTHOGONAL, RIDGE = "auto", "as-is", "orthogonal", "ridge"
KINDS = (AUTO, AS_IS, ORTHOGONAL, RIDGE)
PENALTIES = (1000.0, 100.0, 10.0, 1.0, 0.1, 0.01, 0.001)
FOLDS, FEWEST = 5, 20
Matrix = Float64[np.ndarray, "d k"]


@dataclass(frozen=True, kw_only=True)
class Form:
    """What a map may be. A ridge is drawn towards `start`, the more the larger its `penalty`, which is in units of the old
    vectors' mean variance a dimension and of an item."""

    kind: str
    start: str = ""
    penalty: float = 0.0


@dataclass(frozen=True, kw_only=True)
class VectorMap:
    """x -> (x - old mean) @ matrix + new mean, fitted on `count` items; `old` and `new` are the spaces' fingerprints."""

    __repr__ = short

    form: Form
    count: int
    old_mean: Float64[np.ndarray, " d"]
    new_mean: Float64[np.ndarray, " k"]
    matrix: Matrix
    old: str = ""
    new: str = ""

    def __call__(self, vectors: Vectors) -> Vectors:
        """Raw vectors of the old space as raw vectors of the new one. *Shape:* [n, d] -> [n, k]. Raises `InputError`."""
        if vectors.shape[1] != len(self.old_mean):
            raise InputError(f"the map takes vectors of {len(self.old_mean)} numbers, these have {vectors.shape[1]}")
        return ((vectors - self.old_mean) @ self.matrix + self.new_mean).astype(np.float32)


def fit_map(
    old: Vectors, new: Vectors, *, kind: str = AUTO, compared: Callable[[Vectors], Vectors] = unit, seed: int = 0
) -> VectorMap:
    """A map, given row by row the same items in both spaces; `kind` is one of `KINDS`.

    `auto` and the penalty of `ridge` are chosen by the mean cosine of mapped and true vectors of held-out items, over five
    folds; `compared` turns raw vectors of the new space into units as they are compared, such as `Comparison.gallery_unit`.
    Two spaces around one anchor agree already, so the simplest map is to change nothing, and a ridge is drawn towards that or
    towards the rotation.
    Raises `InputError` for fewer than 20 items, numbers that are not finite, or an unknown kind.
    Sources: Hoerl and Kennard 1970, doi:10.1080/00401706.1970.10488634; Schönemann 1966, doi:10.1007/BF02289451.
    """
    _check(old, new, kind)
    forms = _forms(kind, same=old.shape[1] == new.shape[1])
    best = forms[0] if len(forms) == 1 else _chosen(old, new, forms, compared, seed)
    return _Items(old, new).map(best)


class _Items:
    """Items in both spaces, centred, and the decompositions from which every form follows."""

    def __init__(self, old: Vectors, new: Vectors) -> None:
        self.old_mean, self.new_mean = old.mean(axis=0, dtype=np.float64), new.mean(axis=0, dtype=np.float64)
        self.count, x, y = len(old), old - self.old_mean, new - self.new_mean
        self.gram, self.cross = x.T @ x, x.T @ y

    def map(self, form: Form) -> VectorMap:
        return VectorMap(form=form, count=self.count, old_mean=self.old_mean, new_mean=self.new_mean, matrix=self._matrix(form))

    def _matrix(self, form: Form) -> Matrix:
        if form.kind == AS_IS:
            return np.eye(*self.cross.shape)
        if form.kind == ORTHOGONAL:
            return self.rotation
        start = self._matrix(Form(kind=form.start))
        values, basis = self._spectrum
        shrunk = np.maximum(values, 0) + form.penalty * max(float(values.mean()), 1e-12)
        return np.asarray(start + basis @ ((basis.T @ (self.cross - self.gram @ start)) / shrunk[:, None]))

    @cached_property
    def rotation(self) -> Matrix:
        """With orthonormal columns or rows where the widths differ, times the scale of least squares."""
        left, values, right = _decomposed(self.cross)
        rotation = left @ right
        return np.asarray(rotation * (values.sum() / max(float(np.sum(rotation * (self.gram @ rotation))), 1e-12)))

    @cached_property
    def _spectrum(self) -> tuple[Float64[np.ndarray, " d"], Float64[np.ndarray, "d d"]]:
        values, basis = eigh(self.gram)
        return values, basis


def _decomposed(matrix: Matrix) -> tuple[Matrix, Float64[np.ndarray, " r"], Matrix]:
    """The quick driver does not always converge where few items leave a matrix of low rank; the slow one does."""
    try:
        return svd(matrix, full_matrices=False)
    except LinAlgError:
        return svd(matrix, full_matrices=False, lapack_driver="gesvd")


def _forms(kind: str, *, same: bool) -> tuple[Form, ...]:
    """Simple ones first, which win where all are equal."""
    starts = (AS_IS, ORTHOGONAL) if same else (ORTHOGONAL,)
    if kind == AS_IS and not same:
        raise InputError("the spaces' vectors have different widths and cannot stay as they are; expected orthogonal or ridge")
    simple = tuple(Form(kind=start) for start in starts if kind in (AUTO, start))
    ridges = tuple(Form(kind=RIDGE, start=start, penalty=penalty) for penalty in PENALTIES for start in starts)
    return simple + (ridges if kind in (AUTO, RIDGE) else ())


def _chosen(old: Vectors, new: Vectors, forms: tuple[Form, ...], compared: Callable[[Vectors], Vectors], seed: int) -> Form:
    """The form that brings items which it was not fitted on nearest to where they belong."""
    found = np.zeros(len(forms))
    for fitted, held in _folds(len(old), seed):
        items, true = _Items(old[fitted], new[fitted]), compared(new[held])
        found += [float((compared(items.map(form)(old[held])) * true).sum()) for form in forms]
    return forms[int(np.argmax(np.round(found / len(old), 7)))]


def _folds(count: int, seed: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    order = np.random.default_rng(seed).permutation(count)
    for fold in range(FOLDS):
        yield np.delete(order, np.s_[fold::FOLDS]), order[fold::FOLDS]


def _check(old: Vectors, new: Vectors, kind: str) -> None:
    if kind not in KINDS:
        raise InputError(f"no kind of map '{kind}'; expected one of {', '.join(KINDS)}")
    if len(old) != len(new):
        raise InputError(f"{len(old)} old vectors and {len(new)} new ones; expected the same items, row by row")
    if len(old) < FEWEST:
        raise InputError(f"{len(old)} items are encoded in both spaces; a map needs at least {FEWEST}")
    if not (np.isfinite(old).all() and np.isfinite(new).all()):
        raise InputError("the vectors hold NaN or infinite numbers; encode those items again")
