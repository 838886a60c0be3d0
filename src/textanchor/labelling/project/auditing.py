"""How often what was taken over without a look is wrong, by a random part that people looked at since."""

from __future__ import annotations

from dataclasses import replace

from textanchor import registry
from textanchor.database import Database
from textanchor.labelling.guarantee import Guarantee, Promise
from textanchor.labelling.guarantee import audited as said_by
from textanchor.labelling.project.log import split
from textanchor.labelling.project.records import Audited, SimplePromise
from textanchor.labelling.project.runs import runs_of

_STANDS = "NOT EXISTS (SELECT 1 FROM events u WHERE u.undoes = e.event)"
_TAKEN = (  # the last class that was taken over of each item
    f"SELECT e.item, e.classes, max(e.event) AS since FROM events e WHERE e.kind = 'take' AND {_STANDS} GROUP BY e.item"
)
_ON_TRIAL = "SELECT item, classes, 0 AS since FROM proposals WHERE through"


def audited(database: Database, promise: Promise) -> Audited:
    """Of what is the machine's, the part that was looked at in the random order: all before the first that was not.

    On trial is what a form lets through that promises nothing before an audit; else what was taken over. What a person had
    decided on before says nothing; to be none of the classes, or unclear, is to be wrong.
    """
    form: Guarantee = registry.part("guarantee", promise.form)
    told = database.ask(
        f"WITH listed AS ({_ON_TRIAL if form.audited else _TAKEN}) "
        "SELECT coalesce(s.status, 'open'), s.classes, listed.classes FROM listed JOIN items i ON i.item = listed.item "
        "LEFT JOIN states s ON s.item = listed.item WHERE row IS NOT NULL ORDER BY rank"
    )
    still = next((place for place, (status, *_) in enumerate(told) if status in ("open", "machine")), len(told))
    wrong = [status != "label" or not set(split(by)) <= set(split(said)) for status, said, by in told[:still]]
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
    )


def audited_as(database: Database, promise: Promise | None, simple: SimplePromise) -> Audited:
    """`audited` by a promise, of which some fields are given by keyword: the newest run's unless another is given."""
    newest = next(iter(runs_of(database)[-1:]), None)
    run = None if newest is None else Promise(form=newest.form, level=newest.level, delta=newest.delta, seed=newest.seed)
    return audited(database, replace(promise or run or Promise(), **simple))
