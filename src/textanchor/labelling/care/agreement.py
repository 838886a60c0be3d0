"""How far people agree on labels, with each other and each with himself."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from jaxtyping import Float, Int

from textanchor.errors import InputError
from textanchor.metrics.interval import RESAMPLES, Interval, wilson

Ratings = Int[np.ndarray, "n p"]
Counts = Float[np.ndarray, "n c"]
Weights = Float[np.ndarray, "b n"]
MISSING = -1


@dataclass(frozen=True, kw_only=True)
class Measured:
    """A coefficient, 1 for perfect agreement and 0 for that of chance, with a 95 % interval by the bootstrap over items; both
    None where it says nothing: nobody shares an item, or all say the same class all the time."""

    value: float | None
    interval: Interval | None


@dataclass(frozen=True, kw_only=True)
class Couple:
    """Two people: the items that both labelled, the share on which they agree with its 95 % interval, and Cohen's kappa."""

    people: tuple[str, str]
    items: int
    share: float
    interval: Interval
    kappa: Measured


@dataclass(frozen=True, kw_only=True)
class Agreement:
    """Of all people together Krippendorff's alpha, and Fleiss' kappa where all items have equally many labels; of each couple
    more. `items` have two labels or more."""

    items: int
    alpha: Measured
    fleiss: Measured
    couples: tuple[Couple, ...]


def agreement(ratings: Ratings, people: Sequence[str], *, seed: int = 0) -> Agreement:
    """How far people agree on classes, -1 where one has not labelled an item. Raises `InputError` for other shapes.

    Sources: alpha for nominal data Krippendorff 2011, "Computing Krippendorff's alpha-reliability", section C; Fleiss 1971,
    doi:10.1037/h0031619; Cohen 1960, doi:10.1177/001316446002000104.
    """
    if ratings.shape[1] != len(people):
        raise InputError(f"ratings by {ratings.shape[1]} people and {len(people)} names; expected a name for each column")
    shared = ratings[(ratings != MISSING).sum(axis=1) >= 2]
    counts = _counts(shared)
    sizes = counts.sum(axis=1)
    equal = len(sizes) > 0 and (sizes == sizes[0]).all()
    return Agreement(
        items=len(shared),
        alpha=_measured(alphas, counts, seed),
        fleiss=_measured(fleiss, counts, seed) if equal else Measured(value=None, interval=None),
        couples=tuple(_couples(ratings, people, seed)),
    )


def repeated(first: Int[np.ndarray, " n"], again: Int[np.ndarray, " n"], who: str, *, seed: int = 0) -> Couple | None:
    """A person against himself, by items that came twice unsaid; None if none did. His share bounds what others can agree."""
    found = list(_couples(np.stack([first, again], axis=1), (who, who), seed))
    return found[0] if found else None


def _couples(ratings: Ratings, people: Sequence[str], seed: int) -> list[Couple]:
    found = []
    for one, other in combinations(range(len(people)), 2):
        both = ratings[:, [one, other]]
        both = both[(both != MISSING).all(axis=1)]
        if len(both):
            share = float((both[:, 0] == both[:, 1]).mean())
            kappa = _measured(lambda pairs, weights: kappas(pairs, weights), _paired(both), seed)
            couple = Couple(
                people=(people[one], people[other]),
                items=len(both),
                share=share,
                interval=wilson(share, len(both)),
                kappa=kappa,
            )
            found.append(couple)
    return found


def alphas(counts: Counts, weights: Weights) -> Float[np.ndarray, " b"]:
    """Krippendorff's alpha of items' class counts, each item taken `weights` times; NaN where all say one class."""
    sizes = counts.sum(axis=1)
    apart = (counts * (sizes[:, None] - counts)).sum(axis=1) / (sizes - 1)
    total, classes = weights @ sizes, weights @ counts
    expected = (classes * (total[:, None] - classes)).sum(axis=1) / (total - 1)
    return _ratio(weights @ apart, expected)


def fleiss(counts: Counts, weights: Weights) -> Float[np.ndarray, " b"]:
    """Fleiss' kappa, of items with equally many labels."""
    size = counts[0].sum()
    apart = 1 - (counts * (counts - 1)).sum(axis=1) / (size * (size - 1))
    shares = weights @ counts / (weights.sum(axis=1, keepdims=True) * size)
    return _ratio(weights @ apart / weights.sum(axis=1), 1 - (shares**2).sum(axis=1))


def kappas(pairs: Counts, weights: Weights) -> Float[np.ndarray, " b"]:
    """Cohen's kappa of one-hot labels of two people side by side, [n, 2c]."""
    one, other = np.split(pairs, 2, axis=1)
    apart = 1 - (one * other).sum(axis=1)
    total = weights.sum(axis=1, keepdims=True)
    expected = 1 - ((weights @ one / total) * (weights @ other / total)).sum(axis=1)
    return _ratio(weights @ apart / total[:, 0], expected)


def _ratio(observed: Float[np.ndarray, " b"], expected: Float[np.ndarray, " b"]) -> Float[np.ndarray, " b"]:
    known = expected > 1e-12
    return np.where(known, 1 - observed / np.where(known, expected, 1), np.nan)


def _measured(coefficient: Callable[[Counts, Weights], Float[np.ndarray, " b"]], items: Counts, seed: int) -> Measured:
    if not len(items):
        return Measured(value=None, interval=None)
    value = float(coefficient(items, np.ones((1, len(items))))[0])
    if np.isnan(value):
        return Measured(value=None, interval=None)
    rng = np.random.default_rng(seed)
    drawn = rng.multinomial(len(items), np.full(len(items), 1 / len(items)), size=RESAMPLES).astype(float)
    values = coefficient(items, drawn)
    values = values[~np.isnan(values)]
    low, high = np.percentile(values, [2.5, 97.5]) if len(items) > 1 and len(values) else (np.nan, np.nan)
    return Measured(value=value, interval=None if np.isnan(low) else (float(low), float(high)))


def _counts(ratings: Ratings) -> Counts:
    classes = np.unique(ratings[ratings != MISSING])
    return (
        np.stack([(ratings == one).sum(axis=1) for one in classes], axis=1).astype(float) if len(classes) else np.empty((0, 0))
    )


def _paired(both: Ratings) -> Counts:
    classes = np.unique(both)
    return np.concatenate([both[:, [0]] == classes, both[:, [1]] == classes], axis=1).astype(float)
