"""Classes that no fit has seen: whether the anchor's knowledge of words carries over to them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from textanchor.errors import InputError
from textanchor.evaluation.refits import Fresh
from textanchor.judging import naming_hits
from textanchor.metrics.balance import largest_class, macro
from textanchor.metrics.interval import bootstrap
from textanchor.records import PairedLatents


@dataclass(frozen=True, kw_only=True)
class ZeroShot:
    """Accuracy of the nearest name among the held-out classes: mean and standard deviation over draws, and each draw's own.

    `largest` is what always answering the largest of them reaches, `macro` the mean over classes where they are uneven.
    """

    modality: str
    aligner: str
    classes: int
    accuracy: float
    spread: float
    chance: float
    largest: float
    draws: tuple[float, ...]
    macro: float | None = None

    def row(self) -> dict[str, Any]:
        """JSON-ready, draws last; the macro accuracy only where there is one."""
        told = asdict(self)
        largest, draws, mean = told.pop("largest"), told.pop("draws"), told.pop("macro")
        return {**told, "largest class": largest, **({} if mean is None else {"macro accuracy": mean}), "draws": draws}


def zero_shot(
    pairs: PairedLatents, ways: Sequence[Fresh], *, classes: int = 10, draws: int = 10, seed: int = 0
) -> tuple[ZeroShot, ...]:
    """Hold out random classes, fit on the others, and name the held-out classes' items by the nearest of their names.

    Everything is fitted on seen classes, views and hubness too; hyperparameters are chosen on classes held out of the seen
    ones, so that what is chosen is what carries over. All ways of fitting see the same draws, which `seed` fixes. Raises
    `InputError` for items of several texts or fewer than 3 times `classes`.
    """
    if len(pairs.edges) != len(pairs.items):
        raise InputError(f"held-out classes of {pairs.modality}: items with several texts have no single class")
    if classes < 2 or len(pairs.texts) < 3 * classes:
        raise InputError(
            f"held-out classes of {pairs.modality}: {classes} of {len(pairs.texts)} classes; at least 2, and at most a third"
        )
    accuracies: list[list[float]] = [[] for _ in ways]
    means: list[list[float | None]] = [[] for _ in ways]
    largest = []
    for draw in range(draws):
        train, val, test = _drawn(pairs, classes, np.random.default_rng([seed, draw]))
        largest.append(largest_class(test.first_text))
        for fresh, own, mean in zip(ways, accuracies, means, strict=True):
            hits = naming_hits(fresh.fit(train, val, test=test).geometry, test)
            own.append(float(hits.mean()))
            mean.append(macro(hits, test.first_text))
    return tuple(
        ZeroShot(
            modality=pairs.modality,
            aligner=fresh.aligner,
            classes=classes,
            accuracy=float(np.mean(own)),
            spread=float(np.std(own, ddof=1)) if draws > 1 else 0.0,
            chance=1 / classes,
            largest=float(np.mean(largest)),
            draws=tuple(own),
            macro=_mean(mean),
        )
        for fresh, own, mean in zip(ways, accuracies, means, strict=True)
    )


def _mean(values: Sequence[float | None]) -> float | None:
    """Of the draws with uneven classes, if most are."""
    told = [value for value in values if value is not None]
    return float(np.mean(told)) if 2 * len(told) > len(values) else None


def _drawn(pairs: PairedLatents, classes: int, rng: np.random.Generator) -> tuple[PairedLatents, PairedLatents, PairedLatents]:
    """Train, validation and test, each with classes of its own."""
    order = rng.permutation(len(pairs.texts))
    unseen, inner, seen = order[:classes], order[classes : 2 * classes], order[2 * classes :]
    train, val, test = (pairs.take(np.flatnonzero(np.isin(pairs.first_text, own))) for own in (seen, inner, unseen))
    return train, val, test


def paired_draws(one: ZeroShot, other: ZeroShot) -> tuple[float, tuple[float, float] | None]:
    """Mean difference on the same draws, and its 95 % bootstrap interval over draws, which share items and are not
    independent."""
    gain = np.array(one.draws) - np.array(other.draws)
    return float(gain.mean()), bootstrap(gain, [str(draw) for draw in range(len(gain))])
