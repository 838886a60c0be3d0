"""Labels as exams: what a proposer says of the rest, and how it did on labels drawn at random that it had not seen."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float64, Int

from textanchor.labelling.guarantee.promise import Calibration, Promise, Rest, Scored
from textanchor.labelling.guarantee.saying import Said, say
from textanchor.labelling.pool import Labelled, Pool, Probabilities, Rows
from textanchor.labelling.proposers.protocol import Proposer

KEPT = 0.25  # of the labels drawn at random, for exams alone
ENOUGH = 3.0  # times as many labels as vouch for everything if none is wrong: fewer say too little


@dataclass(frozen=True, kw_only=True)
class Examined:
    """Proposals `classes` [n] for the pool's `rows` [n], which are those of `rest`; `exams` [m] are the pool's rows of the
    calibration labels. `said` is what was said of the whole pool.

    `copies` are rows whose content people labelled elsewhere, and `copied` their labels. They are none of the rest: a promise
    that counted them among what is right could let more through of what is not.
    """

    calibration: Calibration
    rest: Rest
    rows: Rows
    classes: Rows
    exams: Rows
    said: Said
    copies: Rows
    copied: Rows

    @property
    def probabilities(self) -> Probabilities:
        """Of the whole pool, those of labels that taught out of fold."""
        return self.said.probabilities

    @property
    def proposer(self) -> str:
        """The proposer's name."""
        return self.said.proposer


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What is to be examined: a pool, what people said of it and the proposer, the best of the usual ones by
    the labels that teach (`choosing.choose`) if None.

    Classes of -1 in `labelled` are items that a person found to be of none of the classes: they teach nothing, and whatever is
    proposed for them is wrong. `scored`: see `Calibration`. `by_group`: whole groups stay together and stand for groups; else
    items stand for items and equal contents stay together. `rows` are those to propose for, all without a label if None.
    """

    pool: Pool
    labelled: Labelled
    proposer: Proposer | None = None
    scored: Scored = "out of fold"
    by_group: bool = False
    rows: Rows | None = None

    @property
    def rest(self) -> Rows:
        """Rows to propose for."""
        return np.setdiff1d(np.arange(len(self.pool)) if self.rows is None else self.rows, self.labelled.rows)


def examined(asked: Asked, promise: Promise) -> Examined:
    """Examine a proposer on labels drawn at random, and let it propose for the rest.

    `held apart`: by labels that are kept from it (`kept_apart`). `out of fold`: by all of them, ten models examined each by a
    tenth that it did not see, while the one that proposes knows all.
    """
    pool = _pool(asked)
    teaching, exams = _parted(asked, pool, promise)
    known = teaching.taken(teaching.classes >= 0)
    return _told(asked, exams, say(pool, known, proposer=asked.proposer, seed=promise.seed))


def kept_apart(pool: Pool, labelled: Labelled, promise: Promise) -> tuple[Labelled, Labelled]:
    """Labels to teach and labels to examine by: a random quarter of those drawn at random, more where that were too few.

    Whole units (`Pool.units`) stay together. Too few are less than three times ln(1 / delta) / level, the number of labels
    without a mistake that vouch for everything; but never more than half are kept.
    """
    units, drawn = pool.units[labelled.rows], np.flatnonzero(labelled.drawn)
    enough = max(KEPT * len(drawn), ENOUGH * np.log(1 / promise.delta) / promise.level)
    order, counts = np.unique(units[drawn], return_counts=True)
    lot = np.random.default_rng([promise.seed, 1]).permutation(len(order))
    kept = order[lot[np.cumsum(counts[lot]) <= min(enough, len(drawn) / 2)]]
    apart = labelled.drawn & np.isin(units, kept)
    return labelled.taken(~np.isin(units, kept)), labelled.taken(apart)


def _pool(asked: Asked) -> Pool:
    return asked.pool if asked.by_group else replace(asked.pool, groups=np.arange(len(asked.pool)))


def _parted(asked: Asked, pool: Pool, promise: Promise) -> tuple[Labelled, Labelled]:
    """Labels to teach and drawn ones to examine by; out of fold they are the same."""
    if asked.scored == "held apart":
        return kept_apart(pool, asked.labelled, promise)
    return asked.labelled, asked.labelled.taken(asked.labelled.drawn)


def _told(asked: Asked, exams: Labelled, said: Said) -> Examined:
    groups, copied = asked.pool.groups if asked.by_group else None, _copied(asked.pool, asked.labelled)[asked.rest]
    rows, copies = asked.rest[copied < 0], asked.rest[copied >= 0]
    return Examined(
        calibration=Calibration(
            scores=said.sure[exams.rows],
            wrong=said.classes[exams.rows] != exams.classes,
            groups=None if groups is None else groups[exams.rows],
            weights=None if groups is None else _weights(groups, exams.rows, rows),
            scored=asked.scored,
        ),
        rest=Rest(scores=said.sure[rows], groups=None if groups is None else groups[rows]),
        rows=rows,
        classes=said.classes[rows],
        exams=exams.rows,
        said=said,
        copies=copies,
        copied=copied[copied >= 0],
    )


def so_few(asked: Asked, promise: Promise) -> tuple[Calibration, Rest]:
    """Of which sizes an examination would be, without scores: nobody is asked for proposals."""
    exams = _parted(asked, _pool(asked), promise)[1].rows
    groups = asked.pool.groups
    return (
        Calibration(
            scores=np.zeros(len(exams)),
            wrong=np.zeros(len(exams), dtype=bool),
            groups=groups[exams],
            weights=_weights(groups, exams, asked.rest),
            scored=asked.scored,
        ),
        Rest(scores=np.zeros(len(asked.rest)), groups=groups[asked.rest]),
    )


def _weights(groups: Int[np.ndarray, " p"], exams: Rows, rows: Rows) -> Float64[np.ndarray, " m"]:
    """How many items of its group each exam stands for: the exams themselves and those without a label."""
    most = int(groups.max(initial=0)) + 1
    own, rest = (np.bincount(groups[some], minlength=most) for some in (exams, rows))
    return np.asarray(((own + rest) / np.maximum(own, 1))[groups[exams]], dtype=np.float64)


def _copied(pool: Pool, labelled: Labelled) -> Int[np.ndarray, " p"]:
    """The class that people gave to an item's content, -1 where they gave none or several."""
    most = int(pool.contents.max(initial=-1)) + 1
    lowest, highest = np.full(most, len(pool.classes)), np.full(most, -1)
    np.minimum.at(lowest, pool.contents[labelled.rows], labelled.classes)
    np.maximum.at(highest, pool.contents[labelled.rows], labelled.classes)
    return np.where(lowest == highest, highest, -1)[pool.contents]
