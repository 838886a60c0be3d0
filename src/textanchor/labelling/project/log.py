"""The log of decisions: appended to, never changed; what it comes to is written with it, into the table of states."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from textanchor.database import CHUNK, Database, marks
from textanchor.errors import InputError
from textanchor.escaping import legible
from textanchor.labelling.project.deciding import Event, Settled, settled
from textanchor.labelling.project.records import Decision

STANDS = "NOT EXISTS (SELECT 1 FROM events u WHERE u.undoes = e.event)"  # of an event e: nobody took it back
OF_SOURCE = 0  # the step of labels that came with a source
LONGEST = 200  # letters of a person's name


@dataclass(frozen=True, kw_only=True)
class New:
    """An event to be: `classes` are numbers, joined by commas; `proposed` are those that a `run` proposed by then."""

    item: int
    kind: str
    classes: str
    who: str
    how: str
    at: str = ""
    undoes: int | None = None
    run: int | None = None
    proposed: str = ""


class Log:
    """The events of a file. Whatever writes does so within `Database.writing`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, events: Sequence[New], *, rule: str, of_source: bool = False) -> int:
        """Append events as one step, which is undone together; the number of the first. The states follow.

        What a source says is no step of anybody, so that nobody takes all of it back by a step too many.
        """
        first = int(self._database.one("SELECT coalesce(max(event), 0) + 1 FROM events"))
        now = moment()
        self._database.ask_each(
            f"INSERT INTO events ({', '.join(_COLUMNS)}) VALUES ({marks(_COLUMNS)})",
            ((first + place, OF_SOURCE if of_source else first, *_values(one, now)) for place, one in enumerate(events)),
        )
        self.settle(dict.fromkeys(one.item for one in events), rule=rule)
        return first

    def undo(self, who: str, *, rule: str) -> int | None:
        """Take back that person's last step that stands; the first event of the new step, None if nothing is left."""
        standing = f"who = ? AND kind != 'undo' AND step != {OF_SOURCE} AND {STANDS}"
        step = self._database.one(f"SELECT step FROM events e WHERE {standing} ORDER BY step DESC LIMIT 1", who)
        if step is None:
            return None
        told = self._database.ask(
            f"SELECT event, item, classes, how FROM events e WHERE {standing} AND step = ? ORDER BY event", who, step
        )
        return self.add(
            [New(item=item, kind="undo", classes=own, who=who, how=how, undoes=event) for event, item, own, how in told],
            rule=rule,
        )

    def settle(self, items: Iterable[int], *, rule: str) -> None:
        """Derive the states of items anew."""
        wanted = list(items)
        for start in range(0, len(wanted), CHUNK):
            some = wanted[start : start + CHUNK]
            by_item: dict[int, list[Event]] = {item: [] for item in some}
            with self._database.sound():
                for event in self._events(some):
                    by_item[event.item].append(event)
                states = {item: settled(events, rule) for item, events in by_item.items()}
            self._database.ask(f"DELETE FROM states WHERE item IN ({marks(some)})", *some)
            self._database.ask_each(
                "INSERT INTO states VALUES (?, ?, ?, ?, ?, ?, ?)",
                (
                    (item, one.status, one.classes, one.event, one.people, int(one.disagree), one.drawn)
                    for item, one in states.items()
                    if one is not None
                ),
            )

    def settle_all(self, *, rule: str) -> None:
        """Derive all states anew, as after another rule."""
        self.settle([item for (item,) in self._database.ask("SELECT DISTINCT item FROM events")], rule=rule)

    def otherwise(self, event: int, *, rule: str) -> int:
        """Of how many items that people had decided on by that event, what they say is not the same any more."""
        told = self._database.ask(
            "SELECT DISTINCT item FROM events l WHERE event > ? AND kind != 'take' AND EXISTS "
            "(SELECT 1 FROM events e WHERE e.item = l.item AND e.event <= ? AND e.kind NOT IN ('take', 'undo'))",
            event,
            event,
        )
        found = 0
        for start in range(0, len(told), CHUNK):
            by_item: dict[int, list[Event]] = {}
            for one in self._events([item for (item,) in told[start : start + CHUNK]]):
                by_item.setdefault(one.item, []).append(one)
            for events in by_item.values():
                before = _said(settled([one for one in events if one.event <= event], rule))
                found += before not in (None, _said(settled(events, rule)))
        return found

    def history(self, where: str, values: Sequence[object], *, newest: bool, limit: int) -> Iterator[Decision]:
        """The events of a condition; undone are those that a later event names."""
        keys = {int(number): str(key) for number, key in self._database.ask("SELECT class, key FROM classes")}
        told = self._database.ask(
            "SELECT e.event, id, kind, e.classes, who, at, how, undoes, "
            f"NOT {STANDS} "
            f"FROM events e JOIN items USING (item) WHERE {where} ORDER BY e.event {'DESC' if newest else ''} LIMIT ?",
            *values,
            limit,
        )
        for event, name, kind, classes, who, at, how, undoes, undone in told:
            named = tuple(keys[number] for number in split(classes))
            yield Decision(
                event=event, item=name, kind=kind, classes=named, who=who, at=at, how=how, undoes=undoes, undone=bool(undone)
            )

    def chosen(self, conditions: Mapping[str, object], *, newest: bool, limit: int) -> list[Decision]:
        """The events that pass all conditions whose value is not None."""
        told = {condition: value for condition, value in conditions.items() if value is not None}
        return list(self.history(" AND ".join(told), list(told.values()), newest=newest, limit=limit))

    def _events(self, items: Sequence[int]) -> Iterator[Event]:
        names = ("event", "item", "kind", "classes", "who", "how", "undoes")
        told = self._database.ask(
            f"SELECT {', '.join(names)} FROM events WHERE item IN ({marks(items)}) ORDER BY event", *items
        )
        for event, item, kind, classes, who, how, undoes in told:
            yield Event(event=event, item=item, kind=kind, classes=classes, who=who, how=how, undoes=undoes)


_COLUMNS = ("event", "step", "item", "kind", "classes", "who", "at", "how", "undoes", "run", "proposed")


def _said(state: Settled | None) -> tuple[str, str] | None:
    """What people say of an item; None where they say nothing."""
    return None if state is None or state.status == "machine" else (state.status, state.classes)


def _values(one: New, now: str) -> tuple[object, ...]:
    return one.item, one.kind, one.classes, one.who, one.at or now, one.how, one.undoes, one.run, one.proposed


def moment() -> str:
    """Now, UTC."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def person(who: str) -> str:
    """A person's name as it is written down. Raises `InputError` for none."""
    told = " ".join(legible(str(who)).split())
    if not told or len(told) > LONGEST:
        raise InputError(f"who decides? '{told[:60]}' is no name; expected 1 to {LONGEST} letters (--who NAME)")
    return told


def joined(numbers: Iterable[int]) -> str:
    """Class numbers as they stand in the file."""
    return ",".join(map(str, numbers))


def split(classes: str) -> list[int]:
    """The numbers again."""
    return [int(one) for one in classes.split(",") if one]
