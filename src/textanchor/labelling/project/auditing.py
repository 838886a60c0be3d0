"""How often what was taken over without a look is wrong, by a random part that people looked at since."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from textanchor.database import Database
from textanchor.labelling.guarantee import Promise, form_of
from textanchor.labelling.guarantee import audited as said_by
from textanchor.labelling.project.log import STANDS, split
from textanchor.labelling.project.records import Audited, SimplePromise
from textanchor.labelling.project.runs import newest_run

_TAKEN = (  # the last class that was taken over of each item, and not given back
    "SELECT item, classes FROM (SELECT e.item, e.classes, max(e.event) FROM events e "
    f"WHERE e.kind = 'take' AND {STANDS} GROUP BY e.item) WHERE classes != ''"
)
OPEN = ("open", "machine")  # statuses of what no person decided on
_ON_TRIAL = "SELECT item, classes, turn FROM proposals WHERE through"


def audited(database: Database, promise: Promise) -> Audited:
    """Of what is the machine's, the part that was looked at in the random order: all before the first that was not.

    On trial is what a form lets through that promises nothing before an audit; else what was taken over. What a person had
    decided on before says nothing; to be none of the classes, or unclear, is to be wrong.
    """
    form = form_of(promise)
    told = _listed(database, on_trial=form.audited)
    wrong = _wrong(told)
    beyond = sum(status not in OPEN for status, *_ in told[len(wrong) :])
    found = said_by(len(told), wrong, promise)
    left = max(found.left, 1)
    return Audited(
        shown=found.looked,
        wrong=found.wrong,
        share=found.share,
        low=found.low / left,
        high=found.high / left,
        population=len(told),
        level=promise.level,
        delta=promise.delta,
        verdict=found.verdict,
        beyond=beyond,
    )


def looks(database: Database) -> list[bool]:
    """Whether each of the first items on trial was wrong, all before the first that nobody has looked at."""
    return _wrong(_listed(database, on_trial=True))


def _listed(database: Database, *, on_trial: bool) -> list[tuple[Any, ...]]:
    """Status, people's classes and the machine's of each item that an audit is about, in random order."""
    order = "turn" if on_trial else "rank"
    return database.ask(
        f"WITH listed AS ({_ON_TRIAL if on_trial else _TAKEN}) "
        "SELECT coalesce(s.status, 'open'), s.classes, listed.classes FROM listed JOIN items i ON i.item = listed.item "
        f"LEFT JOIN states s ON s.item = listed.item WHERE row IS NOT NULL ORDER BY {order}"
    )


def _wrong(told: list[tuple[Any, ...]]) -> list[bool]:
    still = next((place for place, (status, *_) in enumerate(told) if status in OPEN), len(told))
    return [status != "label" or not set(split(by)) <= set(split(said)) for status, said, by in told[:still]]


def audited_as(database: Database, promise: Promise | None, simple: SimplePromise) -> Audited:
    """`audited` by a promise, of which some fields are given by keyword: the newest run's unless another is given."""
    newest = newest_run(database)
    run = None if newest is None else Promise(form=newest.form, level=newest.level, delta=newest.delta, seed=newest.seed)
    return audited(database, replace(promise or run or Promise(), **simple))
