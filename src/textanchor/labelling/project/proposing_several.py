"""What the machine proposes where an item may have several classes: each class is a question of its own."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from textanchor.errors import InputError
from textanchor.labelling.care import ManyLabelled, Several, several
from textanchor.labelling.guarantee import Promise
from textanchor.labelling.pool import Pool
from textanchor.labelling.project.pooling import Told
from textanchor.labelling.project.proposing import Outcome, waiting_lines

PROPOSER = "a logistic regression a class"


def propose_several(pool: Pool, told: Told, promise: Promise) -> Outcome:
    """Propose classes, and let through those of which the promise is kept, a class by itself (`care.several`).

    Of an item that is let through only these classes are taken over: others that it may have are for people to say. Items that
    are none of the classes have none, and those of which nobody could tell count as having none.
    """
    if not len(told.labelled):
        raise InputError("no item is labelled; label some, drawn at random, first")
    rows = np.concatenate([told.labelled.rows, told.refused])
    has = np.concatenate([told.has, np.zeros((len(told.refused), len(pool.classes)), dtype=bool)])
    drawn = np.concatenate([told.labelled.drawn, told.refused_drawn])
    found = several(pool, ManyLabelled(rows=rows, has=has, drawn=drawn), promise, seed=promise.seed)
    through = np.zeros((len(pool), len(pool.classes)), dtype=bool)
    for one, decision in enumerate(found.decisions):
        if decision is not None:
            through[found.rest, one] = decision.accepted
    free = np.flatnonzero(~told.decided)
    named = [_classes(through[row], found.proposed[row]) for row in free]
    least = [
        min((float(found.probabilities[row, one]) for one in own), default=0.0) for row, own in zip(free, named, strict=True)
    ]
    kept = [place for place, own in enumerate(named) if own]
    return Outcome(
        rows=free[kept],
        classes=[named[place] for place in kept],
        scores=np.array([least[place] for place in kept], dtype=np.float32),
        through=np.asarray(through[free[kept]].any(axis=1)),
        probabilities=found.probabilities,
        proposer=PROPOSER,
        says=(*_lines(pool, found, len(free), int(through[free].any(axis=1).sum())), *waiting_lines(told.waiting)),
    )


def _classes(through: np.ndarray, proposed: np.ndarray) -> tuple[int, ...]:
    """Those that are let through, else those that are proposed."""
    return tuple(np.flatnonzero(through if through.any() else proposed).tolist())


def _lines(pool: Pool, found: Several, rest: int, through: int) -> Iterator[str]:
    """What came out, in plain words."""
    yield f"proposed by {PROPOSER}; the promise is of each class by itself, about items that are said to have it"
    yield f"{through} of {rest} may be given a class without a look; the others are left to people"
    refusals: dict[str, list[str]] = {}
    for key, decision in zip(pool.classes, found.decisions, strict=True):
        if decision is not None and decision.accepted.any():
            yield f"{key}: {decision.reason}"
        else:
            why = "too few labels that have it, or lack it" if decision is None else decision.reason
            refusals.setdefault(why, []).append(key)
    for why, keys in refusals.items():
        yield f"{', '.join(keys[:5])}{f' and {len(keys) - 5} more' if len(keys) > 5 else ''}: {why}"
