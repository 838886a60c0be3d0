"""What the machine proposes of every item, and which proposals a promise lets through."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64

from textanchor import registry
from textanchor.errors import InputError
from textanchor.labelling.choosing import Chosen, choose
from textanchor.labelling.guarantee import Calibration, Decision, Guarantee, Promise, Rest, decide
from textanchor.labelling.guarantee.forecast import freed
from textanchor.labelling.pool import Labelled, Pool, Probabilities, Rows
from textanchor.labelling.project.pooling import Told

AUTO, NAMES = "auto", "names"
APART = ("confidence",)  # forms whose calibration labels are kept from the proposer, so that the promise holds to the letter
HELD = 0.5  # of the labels drawn at random, which those forms calibrate by
MORE = (10, 20, 50, 100, 200)  # labels of which it is foretold what they would free


@dataclass(frozen=True, kw_only=True)
class Proposals:
    """Probabilities [n, c] of all items, those of labelled ones out of fold; the proposer, and how often it was right."""

    probabilities: Probabilities
    proposer: str
    accuracy: float | None


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """Proposals, the rows of the rest and which of them are let through [n], why, and what more labels would free.

    `calibration` and `rest` are what the decision was made of; None where nothing was promised.
    """

    proposals: Proposals
    rows: Rows
    through: Bool[np.ndarray, " n"]
    decision: Decision | None = None
    calibration: Calibration | None = None
    rest: Rest | None = None
    rows_of_calibration: Rows | None = None
    frees: tuple[int, int] | None = None


def propose(pool: Pool, told: Told, promise: Promise, *, proposer: str = AUTO) -> Outcome:
    """Propose classes for all items, and let through what the promise allows.

    Forms that need it calibrate by half of the labels drawn at random, which the proposer does not see; others by what the
    proposer said of each out of fold. Items that a person found to be none of the classes, or could not tell, count as wrong.
    Raises `InputError` where nothing is known: neither a label nor what names say.
    """
    rows = np.flatnonzero(~told.decided)
    nothing = np.zeros(len(pool), dtype=bool)
    if not len(told.labelled):
        return Outcome(proposals=_by_names_alone(pool), rows=rows, through=nothing)
    apart = _held_apart(told, promise) if promise.form in APART else np.zeros(len(told.labelled), dtype=bool)
    known = told.labelled.taken(~apart)
    if not len(known):
        known, apart = told.labelled, np.zeros(len(told.labelled), dtype=bool)
    chosen = choose(pool, known, names=() if proposer == AUTO else (proposer,), seed=promise.seed)
    probabilities = chosen.proposer.propose(pool, known, seed=promise.seed)
    proposals = Proposals(
        probabilities=_out_of_fold(probabilities, known, chosen), proposer=chosen.name, accuracy=chosen.accuracy
    )
    scored = told.labelled.taken(apart if promise.form in APART else told.labelled.drawn)
    calibration, of = _calibration(pool, told, proposals.probabilities, scored, promise)
    rest = Rest(scores=_scores(probabilities[rows]), groups=pool.groups[rows] if calibration.groups is not None else None)
    decision = decide(calibration, rest, promise)
    through = nothing.copy()
    through[rows[decision.accepted]] = True
    return Outcome(
        proposals=proposals,
        rows=rows,
        through=through,
        decision=decision,
        calibration=calibration,
        rest=rest,
        rows_of_calibration=of,
        frees=_foretold(calibration, rest, promise, int(decision.accepted.sum())),
    )


def _by_names_alone(pool: Pool) -> Proposals:
    if pool.by_names is None or not len(pool.classes):
        raise InputError("no item is labelled, and nothing is known of the classes' names; label some items first")
    found = np.where(np.isnan(pool.by_names), 1 / len(pool.classes), pool.by_names).astype(np.float32)
    return Proposals(probabilities=found, proposer=NAMES, accuracy=None)


def _held_apart(told: Told, promise: Promise) -> Bool[np.ndarray, " m"]:
    """Half of the labels drawn at random, by lot."""
    drawn = np.flatnonzero(told.labelled.drawn)
    taken = np.random.default_rng([promise.seed, 1]).permutation(drawn)[: int(np.ceil(HELD * len(drawn)))]
    apart = np.zeros(len(told.labelled), dtype=bool)
    apart[taken] = True
    return apart


def _out_of_fold(probabilities: Probabilities, known: Labelled, chosen: Chosen) -> Probabilities:
    """With what was said of each label by a proposer that had not seen it."""
    found = probabilities.astype(np.float32).copy()
    found[known.rows] = chosen.out_of_fold
    return found


def _calibration(
    pool: Pool, told: Told, probabilities: Probabilities, labelled: Labelled, promise: Promise
) -> tuple[Calibration, Rows]:
    """Labels drawn at random, each with the proposal that did not know it, and the rows that they stand at.

    By group where labels come from somebody who vouches for them and groups are known: the rest may hold groups that no label
    is of. What the project drew itself it drew of all groups alike.
    """
    refused = told.refused[told.refused_drawn]
    rows = np.concatenate([labelled.rows, refused])
    scores = _scores(probabilities[rows])
    right = probabilities[labelled.rows].argmax(axis=1) == labelled.classes
    wrong = np.concatenate([~right, np.ones(len(refused), dtype=bool)])
    by_group = pool.grouped and bool(told.vouched.any())
    return (
        Calibration(
            scores=scores,
            wrong=wrong,
            groups=pool.groups[rows] if by_group else None,
            weights=_weights(pool, rows) if by_group else None,
            scored="held apart" if promise.form in APART else "out of fold",
        ),
        rows,
    )


def _weights(pool: Pool, rows: Rows) -> Float64[np.ndarray, " m"]:
    """How many items of its group each stands for."""
    all_of, own = np.bincount(pool.groups), np.bincount(pool.groups[rows], minlength=int(pool.groups.max()) + 1)
    return np.asarray(all_of[pool.groups[rows]] / own[pool.groups[rows]], dtype=np.float64)


def _scores(probabilities: Probabilities) -> Float64[np.ndarray, " n"]:
    return probabilities.max(axis=1, initial=0.0).astype(np.float64)


def _foretold(calibration: Calibration, rest: Rest, promise: Promise, through: int) -> tuple[int, int] | None:
    """The fewest of some numbers of further labels that would let a tenth of what is left through, and how many that frees."""
    if calibration.groups is not None or not len(rest) or not len(calibration):
        return None
    guarantee: Guarantee = registry.part("guarantee", promise.form)
    left = len(rest) - through
    for more in (one for one in MORE if one < left):
        free = round(freed(guarantee, calibration, rest, promise, more=more) * len(rest)) - through
        if free - more >= 0.1 * left:
            return more, free
    return None


def lines(outcome: Outcome, promise: Promise, waiting: int) -> tuple[str, ...]:
    """What came out, in plain words; `waiting` labels were drawn at random and do not count yet."""
    decision = outcome.decision
    told = [_of_the_proposer(outcome)]
    if decision is None:
        told.append("no promise can be made from names alone: label some items that are drawn at random")
        return tuple(told)
    through = int(outcome.through.sum())
    if through:
        told.append(f"{through} of {len(outcome.rows)} open items are labelled without a look: {_promised(promise, decision)}")
        told.append(f"{len(outcome.rows) - through} are left to people")
    else:
        told.append(decision.reason)
    if outcome.frees is not None:
        told.append(f"{outcome.frees[0]} more labels would free about {outcome.frees[1]} items (an estimate)")
    if waiting:
        told.append(f"{waiting} labels drawn at random do not count yet: an item before them in the random order is still open")
    return tuple(told)


def _of_the_proposer(outcome: Outcome) -> str:
    told = outcome.proposals
    if told.accuracy is None:
        return "proposed by the classes' names alone"
    return f"proposed by {told.proposer}, which was right of {told.accuracy:.0%} of the labels that it had not seen"


def _promised(promise: Promise, decision: Decision) -> str:
    share = f"at most {promise.level:.0%} of them wrong"
    form = {
        "average": f"{share} on average over many such projects",
        "confidence": f"{share}, except with a probability of {promise.delta:.0%}",
    }.get(promise.form, f"{share} ({promise.form})")
    about = "" if np.isnan(decision.expected_error) else f"; about {decision.expected_error:.1%} are expected to be"
    return f"{form}{about}" if decision.promised else f"{form}, once an audit says so{about}"
