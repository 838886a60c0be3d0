"""What is proposed for every item, and how sure that is, as far as it can be known without having seen the item's label."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from textanchor.labelling.choosing import FOLDS, Chosen, choose
from textanchor.labelling.guarantee.sureness import BESIDES, evidence, standing, telling
from textanchor.labelling.pool import Labelled, Pool, Probabilities, Rows
from textanchor.labelling.proposers.protocol import Proposer

FEW, MANY = 300, 30  # labels, up to which there are so many folds
WATCHED = 1000  # items without a label, among which the labels of a fold stand


@dataclass(frozen=True, kw_only=True)
class Said:
    """A class for every item of a pool, how `sure` it is, from 0 to 1, and the probabilities it was taken from; those of items
    whose label taught are by a model that had not seen it. `proposer` is its name, `accuracy` how often it was right of
    labels that it had not seen."""

    classes: Rows
    sure: Float64[np.ndarray, " n"]
    probabilities: Probabilities
    proposer: str
    accuracy: float


def say(pool: Pool, known: Labelled, *, proposer: Proposer | None = None, seed: int = 0) -> Said:
    """Propose by that proposer, or by the best of the usual ones by `known` labels if None."""
    given = None if proposer is None else {proposer.name: proposer}
    chosen = choose(pool, known, proposers=given, folds=folds_for(known), seed=seed, watching=WATCHED)
    found = {name: one.propose(pool, known, seed=seed) for name, one in chosen.proposers.items()}
    for name, one in found.items():
        one[known.rows] = chosen.said[name]
    classes = found[chosen.name].argmax(axis=1)
    return Said(
        classes=classes,
        sure=_sure(pool, known, found, chosen),
        probabilities=found[chosen.name],
        proposer=chosen.name,
        accuracy=chosen.accuracy,
    )


def _sure(pool: Pool, known: Labelled, found: Mapping[str, Probabilities], chosen: Chosen) -> Float64[np.ndarray, " n"]:
    """How each item stands among those without a label, by one and the same model.

    A model that knows fewer labels is less sure of everything. So what a label's fold has for it is compared with what that
    very fold has for others, and what the whole has for an item with what the whole has for others.
    """
    folds, classes = chosen.fold, found[chosen.name].argmax(axis=1)
    own, beside = np.empty((len(known), len(found) + BESIDES)), []
    for place, fold in enumerate(np.unique(folds)):
        held, teaching = folds == fold, known.taken(folds != fold)
        own[held] = evidence(pool, teaching, known.rows[held], classes[known.rows[held]], _at(found, known.rows[held]))
        said = {name: one[place] for name, one in chosen.beside.items()}
        beside.append(evidence(pool, teaching, chosen.watched, said[chosen.name].argmax(axis=1), said))
    weights = telling(own, classes[known.rows] == known.classes)
    others = np.setdiff1d(np.arange(len(pool)), known.rows)
    last = evidence(pool, known, others, classes[others], _at(found, others))
    sure = np.empty(len(pool))
    sure[others] = standing(last, last, weights)
    for place, fold in enumerate(np.unique(folds)):
        sure[known.rows[folds == fold]] = standing(own[folds == fold], beside[place], weights)
    return sure


def _at(found: Mapping[str, Probabilities], rows: Rows) -> Mapping[str, Probabilities]:
    return {name: one[rows] for name, one in found.items()}


def folds_for(known: Labelled) -> int:
    """Folds of few labels are small: a model that lacks a tenth of them is worse than the one that proposes."""
    return MANY if len(known) <= FEW else FOLDS
