"""Runs of the machine in a project's file: written as a whole, with their proposals, and read again."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, replace

from textanchor.database import Database
from textanchor.labelling.guarantee import Promise, form_of
from textanchor.labelling.pool import Pool, Rows
from textanchor.labelling.project import arrays
from textanchor.labelling.project.certifying import certified, turns
from textanchor.labelling.project.classes import Classes
from textanchor.labelling.project.filling import PROPOSED
from textanchor.labelling.project.log import joined, moment
from textanchor.labelling.project.pooling import Told
from textanchor.labelling.project.proposing import Outcome, propose
from textanchor.labelling.project.proposing_several import propose_several
from textanchor.labelling.project.queueing import chosen, enqueue
from textanchor.labelling.project.records import Run, Settings, SimplePromise


def keep_run(
    database: Database, run: Run, outcome: Outcome, on_trial: Mapping[int, int], numbers: list[int], queue: Rows
) -> Run:
    """Write a run, its proposals in place of the last one's, and what is to be asked next. Within `writing`."""
    told = {name: value for name, value in asdict(run).items() if name not in ("run", "at", "certificate")}
    at = moment()
    number = int(
        database.ask(
            "INSERT INTO runs (at, told, certificate) VALUES (?, ?, ?) RETURNING run", at, json.dumps(told), run.certificate
        )[0][0]
    )
    items = [item for (item,) in database.ask("SELECT item FROM items WHERE row IS NOT NULL ORDER BY row")]
    proposals = zip(
        (items[row] for row in outcome.rows.tolist()),
        (joined(numbers[one] for one in own) for own in outcome.classes),
        outcome.scores.tolist(),
        outcome.through.tolist(),
        (on_trial.get(row) for row in outcome.rows.tolist()),
        strict=True,
    )
    database.ask(  # a certificate of many items is large: those that nothing was taken over by are kept no longer
        "UPDATE runs SET certificate = '' WHERE run != ? AND run NOT IN (SELECT run FROM events WHERE kind = 'take')", number
    )
    database.ask("UPDATE proposals SET through = 0")
    database.ask(  # those on what people decided stay as they were before
        "DELETE FROM proposals WHERE item NOT IN (SELECT item FROM states WHERE status != 'machine')"
    )
    database.ask_each(
        "INSERT OR REPLACE INTO proposals (item, run, classes, probability, through, turn) VALUES (?, ?, ?, ?, ?, ?)",
        ((item, number, *told) for item, *told in proposals),
    )
    arrays.keep(database, PROPOSED, outcome.probabilities, "f2")
    enqueue(database, queue)
    return replace(run, run=number, at=at)


def ran(database: Database, pool: Pool, told: Told, promise: Promise, settings: Settings, says: tuple[str, ...] = ()) -> Run:
    """One run: propose, let through what is promised, choose what is asked next, and write all of it down."""
    outcome = (
        propose_several(pool, told, promise) if settings.multi else propose(pool, told, promise, proposer=settings.proposer)
    )
    queue = chosen(settings, pool, told, outcome.probabilities)
    with database.writing():
        run = _described(outcome, promise, told, (*says, *outcome.says))
        run = replace(run, certificate=certified(database, outcome.found, promise, outcome.proposer))
        on_trial = turns(outcome.found, promise) if run.trial and outcome.found is not None else {}
        return keep_run(database, run, outcome, on_trial, list(Classes(database).numbers().values()), queue)


def _described(outcome: Outcome, promise: Promise, told: Told, says: tuple[str, ...]) -> Run:
    rest = int((~told.decided).sum())
    through = int(outcome.through.sum())
    return Run(
        run=0,
        at="",
        proposer=outcome.proposer,
        accuracy=outcome.accuracy,
        form=promise.form,
        level=promise.level,
        delta=promise.delta,
        trial=form_of(promise).audited,
        seed=promise.seed,
        labelled=len(told.labelled),
        event=told.event,
        through=through,
        left=rest - through,
        says=says,
    )


def wanted(promise: Promise | None, simple: SimplePromise, settings: Settings) -> Promise:
    """What is promised: the record with what was given by keyword."""
    return replace(promise or Promise(seed=settings.seed), **simple)
