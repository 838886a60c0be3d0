"""Classes that no fit has seen: whether the anchor's knowledge of words carries over to them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from textanchor.aligners import aligner
from textanchor.errors import InputError
from textanchor.metrics.interval import bootstrap
from textanchor.projectors import project
from textanchor.records import PairedLatents, Task
from textanchor.views import naming


@dataclass(frozen=True, kw_only=True)
class ZeroShot:
    """Accuracy of the nearest name among the held-out classes: mean and standard deviation over draws, and each draw's own."""

    modality: str
    aligner: str
    classes: int
    accuracy: float
    spread: float
    chance: float
    draws: tuple[float, ...]


def zero_shot(
    pairs: PairedLatents, *, aligners: Sequence[str] = ("auto",), classes: int = 10, draws: int = 10, seed: int = 0
) -> tuple[ZeroShot, ...]:
    """Hold out random classes, fit on the others, and name the held-out classes' items by the nearest of their names.

    Everything is fitted on seen classes, views and hubness too; hyperparameters are chosen on classes held out of the seen
    ones, so that what is chosen is what carries over. Raises `InputError` for items of several texts or fewer than 3 times
    `classes`.
    """
    if len(pairs.edges) != len(pairs.items):
        raise InputError(f"held-out classes of {pairs.modality}: items with several texts have no single class")
    if classes < 2 or len(pairs.texts) < 3 * classes:
        raise InputError(
            f"held-out classes of {pairs.modality}: {classes} of {len(pairs.texts)} classes; at least 2, and at most a third"
        )
    rates: dict[str, list[float]] = {name: [] for name in aligners}
    for draw in range(draws):
        order = np.random.default_rng([seed, draw]).permutation(len(pairs.texts))
        unseen, inner, seen = order[:classes], order[classes : 2 * classes], order[2 * classes :]
        train, val, test = (pairs.take(np.flatnonzero(np.isin(pairs.first_text, held))) for held in (seen, inner, unseen))
        for name in aligners:
            fit = aligner(name).fit(Task(train=train, val=val, seed=seed))
            items, names = naming(fit.view, project(fit.projector, test.inputs), test.anchors)
            rates[name].append(float(((items @ names.T).argmax(axis=1) == test.first_text).mean()))
    return tuple(
        ZeroShot(
            modality=pairs.modality,
            aligner=name,
            classes=classes,
            accuracy=float(np.mean(held)),
            spread=float(np.std(held, ddof=1)) if draws > 1 else 0.0,
            chance=1 / classes,
            draws=tuple(held),
        )
        for name, held in rates.items()
    )


def paired_draws(one: ZeroShot, other: ZeroShot) -> tuple[float, tuple[float, float] | None]:
    """Mean difference on the same draws, and its 95 % bootstrap interval over draws, which share items and are not
    independent."""
    gain = np.array(one.draws) - np.array(other.draws)
    return float(gain.mean()), bootstrap(gain, [str(draw) for draw in range(len(gain))])
