"""Items of several classes at once: each class is a question of its own."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float32
from sklearn.linear_model import LogisticRegression

from textanchor.errors import InputError
from textanchor.labelling.care.discovering import best_threshold
from textanchor.labelling.choosing import fold_of
from textanchor.labelling.guarantee import Calibration, Decision, Promise, Rest, decide
from textanchor.labelling.pool import Pool, Probabilities, Rows

FOLDS = 5
FEWEST = 3  # labelled items that have a class, and that lack it, below which nothing is said of it


@dataclass(frozen=True, kw_only=True)
class ManyLabelled:
    """Rows of a pool with all their classes: `has` [m, c]. `drawn` are those that were drawn at random."""

    rows: Rows
    has: Bool[np.ndarray, "m c"]
    drawn: Bool[np.ndarray, " m"]


@dataclass(frozen=True, kw_only=True)
class Several:
    """How probable each class is of each item [n, c]; from which `thresholds` [c] on it is proposed, and what the promise lets
    through of the `rest`, a decision a class.

    Thresholds have the highest F1 out of fold; NaN, and no decision, for a class of which too little is known.
    """

    probabilities: Probabilities
    thresholds: Float32[np.ndarray, " c"]
    rest: Rows
    decisions: tuple[Decision | None, ...]

    @property
    def proposed(self) -> Bool[np.ndarray, "n c"]:
        """Which classes are proposed of which items."""
        return np.asarray(self.probabilities >= self.thresholds)


def several(pool: Pool, labelled: ManyLabelled, promise: Promise, *, seed: int = 0) -> Several:
    """Proposals of several classes an item: a logistic regression a class, on the items' places.

    The promise is made for each class by itself, about "has it" alone: of the items let through for a class at most the level's
    share lacks it. It says nothing of classes that an item has and nobody proposed, nor of an item's classes together. It
    rests on labels drawn at random, scored out of fold by units; a class with fewer than three that have it, or that lack it,
    has no decision. Raises `InputError` for labels of other classes than the pool's.
    """
    if labelled.has.shape[1] != len(pool.classes):
        raise InputError(f"labels of {labelled.has.shape[1]} classes for a pool of {len(pool.classes)}; expected as many")
    part = fold_of(pool.units[labelled.rows], FOLDS, seed)
    unseen = np.full(labelled.has.shape, np.nan, dtype=np.float32)
    for fold in np.unique(part):
        held = part == fold
        unseen[held] = _proposed(pool, labelled, ~held)[labelled.rows[held]]
    rest = np.setdiff1d(np.arange(len(pool)), labelled.rows)
    found = _proposed(pool, labelled, np.ones(len(labelled.rows), dtype=bool))
    judged = [_judged(unseen[:, one], labelled.has[:, one]) for one in range(len(pool.classes))]
    decisions = [
        None if np.isnan(threshold) else _decided(unseen[:, one], labelled, one, found[rest, one], promise)
        for one, threshold in enumerate(judged)
    ]
    return Several(probabilities=found, thresholds=np.array(judged, dtype=np.float32), rest=rest, decisions=tuple(decisions))


def _proposed(pool: Pool, labelled: ManyLabelled, taught: Bool[np.ndarray, " m"]) -> Probabilities:
    """Of all items; where all or none of the labelled ones have a class, the share that has it."""
    rows, has = labelled.rows[taught], labelled.has[taught]
    found = np.tile(has.mean(axis=0), (len(pool), 1)).astype(np.float32)
    for one in np.flatnonzero(has.any(axis=0) & ~has.all(axis=0)):
        model = LogisticRegression(C=10.0, max_iter=1000).fit(pool.places[rows], has[:, one])
        found[:, one] = model.predict_proba(pool.places)[:, 1]
    return found


def _judged(unseen: Float32[np.ndarray, " m"], has: Bool[np.ndarray, " m"]) -> float:
    enough = min(int(has.sum()), int((~has).sum())) >= FEWEST
    return best_threshold(unseen, has) if enough else float("nan")


def _decided(
    unseen: Float32[np.ndarray, " m"], labelled: ManyLabelled, one: int, scores: Float32[np.ndarray, " k"], promise: Promise
) -> Decision:
    drawn = labelled.drawn
    calibration = Calibration(scores=unseen[drawn].astype(np.float64), wrong=~labelled.has[drawn, one])
    return decide(calibration, Rest(scores=scores.astype(np.float64)), promise)
