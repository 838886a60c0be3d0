"""Proposals are taken over without a look."""

from __future__ import annotations

from collections.abc import Sequence

from textanchor.database import Database, marks
from textanchor.errors import InputError
from textanchor.labelling.project.auditing import audited_as
from textanchor.labelling.project.classes import Classes
from textanchor.labelling.project.log import Log, moment
from textanchor.labelling.project.runs import newest_run, otherwise

_GIVEN_BACK = "(s.status = 'machine' AND e.how = 'promise' AND NOT p.through)"
_NEWS = "(s.status IS NULL OR (s.status = 'machine' AND s.classes != p.classes))"


def accepted(database: Database, classes: Sequence[str], above: float | None, *, who: str, rule: str) -> int:
    """Take over what is asked for; how many. Raises what `acceptable` raises. Within `writing`."""
    condition, values, how = acceptable(database, classes, above)
    return take_over(database, condition, values, who=who, how=how, rule=rule)


def acceptable(database: Database, classes: Sequence[str], above: float | None) -> tuple[str, list[object], str]:
    """Which proposals are taken over, as a condition with its values, and how that is to be called.

    Raises `InputError` where nothing is proposed, or nothing else is asked for and the promise lets nothing through, or stood
    on labels that are not the same any more.
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
    if changed := otherwise(database):
        raise InputError(
            f"labels that the promise stood on are not the same any more ({changed}); propose again "
            "(textanchor label propose), or accept by class or probability, without a promise"
        )
    newest = newest_run(database)
    if newest is not None and newest.trial and audited_as(database, None, {}).verdict != "met":
        raise InputError(
            "nothing is promised before an audit says so: look at some of what is on trial, drawn at random "
            "(textanchor label next --stream audit), or accept by class or probability, without a promise"
        )
    if not database.ask("SELECT 1 FROM proposals WHERE through LIMIT 1"):
        raise InputError("the promise lets nothing through; label more, or accept by class or probability, without a promise")
    return "p.through", [], "promise"


def take_over(database: Database, condition: str, values: list[object], *, who: str, how: str, rule: str) -> int:
    """Take proposals over without a look, of items that no person decided on and of which this is news; how many.

    By a promise, what an earlier one let through and this one does not is given back: a promise is about all that is the
    machine's together. All of it is one step of the log, which is undone together. Within `writing`.
    """
    back = _GIVEN_BACK if how == "promise" else "0"
    first = int(database.one("SELECT coalesce(max(event), 0) + 1 FROM events"))
    database.ask(
        "INSERT INTO events (step, item, kind, classes, who, at, how, run, proposed) "
        f"SELECT ?, p.item, 'take', CASE WHEN {back} THEN '' ELSE p.classes END, ?, ?, ?, p.run, p.classes "
        "FROM proposals p JOIN items i ON i.item = p.item LEFT JOIN states s ON s.item = p.item "
        "LEFT JOIN events e ON e.event = s.event WHERE i.row IS NOT NULL AND "
        f"({back} OR ({_NEWS} AND {condition})) ORDER BY p.item",
        first,
        who,
        moment(),
        how,
        *values,
    )
    told = database.ask("SELECT item, classes FROM events WHERE step = ?", first)
    Log(database).settle([item for item, _ in told], rule=rule)
    return sum(classes != "" for _, classes in told)
