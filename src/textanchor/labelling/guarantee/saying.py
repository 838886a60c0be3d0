"""What is proposed for every item, and how sure that is, as far as it can be known without having seen the item's label."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64, Int

from textanchor.labelling.choosing import FOLDS, Chosen, choose, fold_of, out_of_fold
from textanchor.labelling.guarantee.sureness import evidence, weighed
from textanchor.labelling.pool import Labelled, Pool, Probabilities, Rows
from textanchor.labelling.proposers.protocol import Proposer

FEW, MANY = 300, 30  # labels, up to which there are so many folds


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
    chosen = choose(pool, known, folds=folds_for(known), seed=seed) if proposer is None else _alone(pool, known, proposer, seed)
    found = {name: one.propose(pool, known, seed=seed) for name, one in chosen.proposers.items()}
    for name, one in found.items():
        one[known.rows] = chosen.said[name]
    best = found[chosen.name]
    classes = best.argmax(axis=1)
    return Said(
        classes=classes,
        sure=_sure(pool, known, classes, found, seed),
        probabilities=best,
        proposer=chosen.name,
        accuracy=chosen.accuracy,
    )


def _alone(pool: Pool, known: Labelled, proposer: Proposer, seed: int) -> Chosen:
    said = out_of_fold(proposer, pool, known, folds=folds_for(known), seed=seed)
    return Chosen(
        name=proposer.name,
        proposer=proposer,
        accuracy=float((said.argmax(axis=1) == known.classes).mean()),
        out_of_fold=said,
        table=(),
        proposers={proposer.name: proposer},
        said={proposer.name: said},
    )


def folds_for(known: Labelled) -> int:
    """Folds of few labels are small: a model that lacks a tenth of them is worse than the one that proposes."""
    return MANY if len(known) <= FEW else FOLDS


def _folds(pool: Pool, known: Labelled, seed: int) -> Int[np.ndarray, " m"]:
    return fold_of(pool.units[known.rows], folds_for(known), seed)


def _sure(
    pool: Pool, known: Labelled, classes: Rows, found: Mapping[str, Probabilities], seed: int
) -> Float64[np.ndarray, " n"]:
    """Of items without a label by all labels; of each labelled one by those of the other folds alone."""
    others = np.setdiff1d(np.arange(len(pool)), known.rows)
    seen = _unseen(pool, known, _folds(pool, known, seed), classes, found)
    right = classes[known.rows] == known.classes
    sure = np.empty(len(pool))
    sure[known.rows] = weighed(seen, right, seen)
    sure[others] = weighed(seen, right, _evidence(pool, known, others, classes, found))
    return sure


def _unseen(
    pool: Pool, known: Labelled, folds: Int[np.ndarray, " m"], classes: Rows, found: Mapping[str, Probabilities]
) -> Float64[np.ndarray, "m f"]:
    parts = [np.flatnonzero(folds == one) for one in np.unique(folds)]
    seen = [_evidence(pool, known.taken(folds != folds[part[0]]), known.rows[part], classes, found) for part in parts]
    return np.concatenate(seen)[np.argsort(np.concatenate(parts))]


def _evidence(
    pool: Pool, known: Labelled, rows: Rows, classes: Rows, found: Mapping[str, Probabilities]
) -> Float64[np.ndarray, "k f"]:
    return evidence(pool, known, rows, classes[rows], {name: one[rows] for name, one in found.items()})
