"""Runs of the machine in a project's file: written as a whole, with their proposals, and read again."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Any

from textanchor import registry
from textanchor.database import Database, marks
from textanchor.errors import InputError
from textanchor.labelling.guarantee import Guarantee, Promise
from textanchor.labelling.pool import Pool, Rows
from textanchor.labelling.project import arrays
from textanchor.labelling.project.auditing import audited
from textanchor.labelling.project.classes import Classes
from textanchor.labelling.project.filling import PROPOSED
from textanchor.labelling.project.log import Log, New, moment
from textanchor.labelling.project.pooling import Told
from textanchor.labelling.project.proposing import Outcome, lines, propose
from textanchor.labelling.project.queueing import chosen, enqueue
from textanchor.labelling.project.records import Run, Settings


def keep_run(database: Database, run: Run, outcome: Outcome, numbers: list[int], queue: Rows) -> Run:
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
        (str(numbers[one]) for one in outcome.classes.tolist()),
        outcome.scores.tolist(),
        outcome.through.tolist(),
        strict=True,
    )
    database.ask("UPDATE proposals SET through = 0")  # those on what people decided stay as they were before
    database.ask_each(
        "INSERT INTO proposals VALUES (?, ?, ?, ?, ?) ON CONFLICT (item) DO UPDATE SET run = excluded.run, "
        "classes = excluded.classes, probability = excluded.probability, through = excluded.through",
        ((item, number, *told) for item, *told in proposals),
    )
    arrays.keep(database, PROPOSED, outcome.probabilities, "f2")
    enqueue(database, queue)
    return replace(run, run=number, at=at)


def runs_of(database: Database) -> list[Run]:
    """All runs, the oldest first."""
    found = []
    for number, at, told, certificate in database.ask("SELECT run, at, told, certificate FROM runs ORDER BY run"):
        held: Any = json.loads(told)
        found.append(Run(run=number, at=at, certificate=certificate, **{**held, "says": tuple(held["says"])}))
    return found


def ran(database: Database, pool: Pool, told: Told, promise: Promise, settings: Settings, says: tuple[str, ...] = ()) -> Run:
    """One run: propose, let through what is promised, choose what is asked next, and write all of it down."""
    if settings.multi:
        raise InputError("proposals of several classes an item are not made yet, and this project has such items")
    outcome = propose(pool, told, promise, proposer=settings.proposer)
    queue = chosen(settings, pool, told, outcome.probabilities)
    with database.writing():
        run = _described(outcome, promise, (*says, *lines(outcome, told.waiting)), len(told.labelled))
        return keep_run(database, run, outcome, list(Classes(database).numbers().values()), queue)


def _described(outcome: Outcome, promise: Promise, says: tuple[str, ...], labelled: int) -> Run:
    through = int(outcome.through.sum())
    return Run(
        run=0,
        at="",
        proposer=outcome.proposer,
        accuracy=outcome.accuracy,
        form=promise.form,
        level=promise.level,
        delta=promise.delta,
        seed=promise.seed,
        labelled=labelled,
        through=through,
        left=len(outcome.rows) - through,
        says=says,
    )


def promise_of(run: Run) -> Promise:
    """What a run promised."""
    return Promise(form=run.form, level=run.level, delta=run.delta, seed=run.seed)


def acceptable(database: Database, classes: Sequence[str], above: float | None) -> tuple[str, list[object], str]:
    """Which proposals are taken over, as a condition with its values, and how that is to be called.

    Raises `InputError` where nothing is proposed, or the promise lets nothing through and nothing else is asked for.
    """
    if not database.ask("SELECT 1 FROM proposals LIMIT 1"):
        raise InputError("nothing is proposed yet; propose first: textanchor label propose")
    numbers = Classes(database).known(classes)
    of_classes = f"p.classes IN ({marks(numbers)})" if numbers else "1"
    values: list[object] = [str(number) for number in numbers]
    if above is not None:
        if not 0 <= above <= 1:
            raise InputError(f"above={above}: expected a probability between 0 and 1")
        return f"{of_classes} AND p.probability >= ?", [*values, above], "bulk"
    if numbers:
        return of_classes, values, "bulk"
    newest = runs_of(database)[-1]
    form: Guarantee = registry.part("guarantee", newest.form)
    if form.audited and audited(database, promise_of(newest)).verdict != "met":
        raise InputError(
            "nothing is promised before an audit says so: look at some of what is on trial, drawn at random "
            "(textanchor label next --stream audit), or accept by class or probability, without a promise"
        )
    if not database.ask("SELECT 1 FROM proposals WHERE through LIMIT 1"):
        raise InputError("the promise lets nothing through; label more, or accept by class or probability, without a promise")
    return "p.through", [], "promise"


def take_over(database: Database, condition: str, values: list[object], *, who: str, how: str, rule: str) -> int:
    """Take proposals over without a look, of items that no person decided on and of which this is news; how many.

    One step of the log, which is undone together. Within `writing`.
    """
    if how == "promise":
        _give_back(database, who, rule)
    first = int(database.one("SELECT coalesce(max(event), 0) + 1 FROM events"))
    database.ask(
        "INSERT INTO events (step, item, kind, classes, who, at, how, run, proposed) "
        "SELECT ?, p.item, 'take', p.classes, ?, ?, ?, p.run, p.classes FROM proposals p JOIN items i ON i.item = p.item "
        "LEFT JOIN states s ON s.item = p.item WHERE i.row IS NOT NULL "
        f"AND (s.status IS NULL OR (s.status = 'machine' AND s.classes != p.classes)) AND {condition} ORDER BY p.item",
        first,
        who,
        moment(),
        how,
        *values,
    )
    items = [item for (item,) in database.ask("SELECT item FROM events WHERE step = ?", first)]
    Log(database).settle(items, rule=rule)
    return len(items)


def _give_back(database: Database, who: str, rule: str) -> None:
    """What an earlier promise let through and this one does not: it is about all that is the machine's together."""
    told = database.ask(
        "SELECT e.item, e.event, e.classes, e.how FROM events e JOIN proposals p ON p.item = e.item "
        "WHERE e.kind = 'take' AND e.how = 'promise' AND NOT p.through "
        "AND NOT EXISTS (SELECT 1 FROM events u WHERE u.undoes = e.event) "
        "AND EXISTS (SELECT 1 FROM states s WHERE s.item = e.item AND s.status = 'machine')"
    )
    if told:
        taken_back = [
            New(item=item, kind="undo", classes=classes, who=who, how=how, undoes=event) for item, event, classes, how in told
        ]
        Log(database).add(taken_back, rule=rule)
