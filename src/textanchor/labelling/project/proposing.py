"""What the machine proposes of every item, and which proposals a promise lets through."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float32

from textanchor import registry
from textanchor.errors import InputError
from textanchor.labelling.guarantee import LetThrough, Promise, form_of, let_through
from textanchor.labelling.guarantee.forecast import freed
from textanchor.labelling.pool import Labelled, Pool, Probabilities, Rows
from textanchor.labelling.project.pooling import Told

AUTO, NAMES = "auto", "names"
MORE = (10, 20, 50, 100, 200)  # labels of which it is foretold what they would free


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """Proposals for the `rows` that no person decided on: the `classes` of each, how probable they are, and which are let
    `through`; what came out in `says`, in plain words.

    `probabilities` [n, c] are of the whole pool. `accuracy` is the share of labels drawn at random of which the proposer was
    right without having seen them; `found` is what the promise was decided on.
    """

    rows: Rows
    classes: Sequence[tuple[int, ...]]
    scores: Float32[np.ndarray, " r"]
    through: Bool[np.ndarray, " r"]
    probabilities: Probabilities
    proposer: str
    says: tuple[str, ...]
    accuracy: float | None = None
    found: LetThrough | None = None


def propose(pool: Pool, told: Told, promise: Promise, *, proposer: str = AUTO) -> Outcome:
    """Propose classes, and let through what the promise allows (`guarantee.let_through`).

    Without any label it is by names: the proposer `names`, or the one that is named if it makes something of names alone.
    Items that a person found to be none of the classes, could not tell, or left out though they were drawn, teach nothing, and
    whatever is proposed of them is wrong. Raises `InputError` where nothing is known: neither a label nor what names say.
    """
    rows = np.flatnonzero(~told.decided)
    if not len(told.labelled):
        return _by_names_alone(pool, rows, NAMES if proposer == AUTO else proposer)
    part = None if proposer == AUTO else registry.part("proposer", proposer)
    found = let_through(pool, _with_refused(told), promise, proposer=part)
    return _outcome(rows, found, promise, told.waiting)


def _with_refused(told: Told) -> Labelled:
    """Labels, and what is none of the classes as -1."""
    known = told.labelled
    none = np.full(len(told.refused), -1, dtype=np.int64)
    return Labelled(
        rows=np.concatenate([known.rows, told.refused]),
        classes=np.concatenate([known.classes, none]),
        drawn=np.concatenate([known.drawn, told.refused_drawn]),
    )


def _by_names_alone(pool: Pool, rows: Rows, proposer: str) -> Outcome:
    """By a proposer that makes something of names without a label; by `names` where it makes nothing of them."""
    if pool.by_names is None or not len(pool.classes):
        raise InputError("no item is labelled, and nothing is known of the classes' names; label some items first")
    none = Labelled(rows=np.arange(0), classes=np.arange(0), drawn=np.zeros(0, dtype=bool))
    said = registry.part("proposer", proposer).propose(pool, none)
    if np.allclose(said, 1 / len(pool.classes)):
        proposer, said = NAMES, registry.part("proposer", NAMES).propose(pool, none)
    return Outcome(
        rows=rows,
        classes=[(one,) for one in said[rows].argmax(axis=1).tolist()],
        scores=said[rows].max(axis=1, initial=0.0),
        through=np.zeros(len(rows), dtype=bool),
        probabilities=said,
        proposer=proposer,
        says=(
            "proposed by the classes' names alone" + (f", by {proposer}" if proposer != NAMES else ""),
            "no promise can be made from names alone: label items that are drawn at random"
            if len(rows)
            else "nothing is left to label",
        ),
    )


def _outcome(rows: Rows, found: LetThrough, promise: Promise, waiting: int) -> Outcome:
    """Of all rows of the rest; those of unheard groups are among them and not let through."""
    examined, probabilities = found.examined, found.examined.probabilities
    classes, scores = np.zeros(len(probabilities), dtype=np.int64), np.zeros(len(probabilities), dtype=np.float32)
    through = np.zeros(len(probabilities), dtype=bool)
    classes[rows] = probabilities[rows].argmax(axis=1)
    classes[examined.rows], classes[examined.copies] = examined.classes, examined.copied
    scores[rows] = probabilities[rows, classes[rows]]
    through[examined.rows[found.decision.accepted]], through[examined.copies] = True, True
    wrong = examined.calibration.wrong
    accuracy = float(1 - wrong.mean()) if len(wrong) else None
    return Outcome(
        rows=rows,
        classes=[(one,) for one in classes[rows].tolist()],
        scores=scores[rows],
        through=through[rows],
        probabilities=probabilities,
        proposer=examined.proposer,
        says=(_of_the_proposer(found, accuracy), *_lines(found, len(rows), promise), *waiting_lines(waiting)),
        accuracy=accuracy,
        found=found,
    )


def _foretold(found: LetThrough, promise: Promise) -> tuple[int, int] | None:
    """The fewest of some numbers of further labels that would let a tenth of what is left through, and how many that frees."""
    calibration, rest, through = found.examined.calibration, found.examined.rest, int(found.decision.accepted.sum())
    guarantee = form_of(promise)
    if calibration.groups is not None or not len(rest) or not len(calibration) or guarantee.audited:
        return None
    left, least = len(rest) - through, found.decision.more_labels or 0  # fewer would do nothing, as the refusal says
    for more in (one for one in MORE if least <= one < left):
        free = round(freed(guarantee, calibration, rest, promise, more=more) * len(rest)) - through
        if free - more >= 0.1 * left:
            return more, free
    return None


def _lines(found: LetThrough, rest: int, promise: Promise) -> Iterator[str]:
    """What was decided and why, what is left, and what more labels would do."""
    decision, copies = found.decision, len(found.examined.copies)
    through = int(decision.accepted.sum())
    yield decision.reason
    if through and decision.expected_error == 0:
        yield "of the labels on which it was as sure none was proposed wrong: few of them are expected to be (an estimate)"
    elif through and not np.isnan(decision.expected_error):
        yield f"about {decision.expected_error:.1%} of them are expected to be wrong (an estimate)"
    if copies:
        yield f"{copies} more are exact copies of what people labelled, and take their labels"
    yield f"{rest - through - copies} are left to people"
    if len(found.unheard):
        yield f"{len(found.unheard)} of these are of groups without a label, of which nothing can be promised"
    frees = _foretold(found, promise)
    if frees is not None:
        yield f"{frees[0]} more random labels would free about {frees[1]} items (an estimate)"


def waiting_lines(waiting: int) -> tuple[str, ...]:
    """What does not count yet, of the labels that were drawn at random."""
    why = "items before them in the random order are still open"
    return (f"{waiting} labels drawn at random do not count yet: {why}",) if waiting else ()


def _of_the_proposer(found: LetThrough, accuracy: float | None) -> str:
    name, count = found.examined.proposer, len(found.examined.calibration)
    if accuracy is None:
        return f"proposed by {name}; how often it is right is not known, since no label was drawn at random"
    return f"proposed by {name}, which was right of {accuracy:.0%} of {count} labels that it had not seen"
