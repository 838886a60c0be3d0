"""From what somebody decides to events of the log."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from textanchor.database import Database
from textanchor.errors import InputError
from textanchor.labelling.project.classes import Classes
from textanchor.labelling.project.entries import Entries
from textanchor.labelling.project.leasing import Asking
from textanchor.labelling.project.log import Log, New, joined, person
from textanchor.labelling.project.records import HOWS, KINDS, NAMING, Choice, Decision, Settings

OWN = ("picked", "bulk")  # what a caller may say of how it came by an item that it was not asked about
LAST = 1 << 62


@dataclass(frozen=True, kw_only=True)
class Recording:
    """Writes decisions down; whatever writes does so within `Database.writing`."""

    database: Database
    settings: Settings

    def record(self, choices: Sequence[Choice], who: str, how: str) -> list[Decision]:
        """All of them as one step, or none. Raises `InputError` for an item, class or kind that is not there, and for classes
        that do not fit the kind."""
        if not choices:
            return []
        if how not in OWN:
            raise InputError(f"how='{how}': expected {' or '.join(OWN)}; how an item was asked is known to the project")
        told = person(who)
        numbers = Entries(self.database).numbers([one.item for one in choices])
        asked = dict(self.database.ask("SELECT item, how FROM asks WHERE who = ?", told))
        first = Log(self.database).add(
            [self._event(one, item, told, asked.get(item, how)) for one, item in zip(choices, numbers, strict=True)],
            rule=self.settings.rule,
        )
        self.database.ask_each("DELETE FROM asks WHERE who = ? AND item = ?", ((told, item) for item in numbers))
        return self.since(first)

    def undo(self, who: str) -> list[Decision]:
        """Take a person's last step back; the events that do so. What the person had been asked about is asked again, of nobody
        else meanwhile."""
        told = person(who)
        first = Log(self.database).undo(told, rule=self.settings.rule)
        if first is None:
            return []
        Asking(database=self.database, settings=self.settings).again(told, first)
        return self.since(first)

    def bring(self, decisions: Sequence[Decision]) -> int:
        """Write down decisions that were made elsewhere, in their order, by whom and when they say; how many are new.

        An undo needs what it takes back among them. Raises `InputError` as `record`, and for a moment that is none.
        """
        numbers = Entries(self.database).numbers([one.item for one in decisions])
        told = self.database.ask("SELECT item, kind, classes, who, at, event FROM events")
        there = {tuple(row[:5]): int(row[5]) for row in told}
        here: dict[int, int] = {}  # the others' events as ours
        fresh: list[New] = []
        first = int(self.database.one("SELECT coalesce(max(event), 0) + 1 FROM events"))
        for one, item in zip(decisions, numbers, strict=True):
            event = self._brought(one, item, here)
            key = (event.item, event.kind, event.classes, event.who, event.at)
            if key not in there:
                there[key] = first + len(fresh)
                fresh.append(event)
            here[one.event] = there[key]
        if fresh:
            Log(self.database).add(fresh, rule=self.settings.rule)
        return len(fresh)

    def since(self, first: int) -> list[Decision]:
        """The events from one on."""
        return list(Log(self.database).history("e.event >= ?", [first], newest=False, limit=LAST))

    def _event(self, choice: Choice, item: int, who: str, how: str) -> New:
        known = tuple(one for one in KINDS if one not in ("undo", "take"))
        if choice.kind not in known:
            raise InputError(f"{choice.item}: no decision is called '{choice.kind}'; expected one of {', '.join(known)}")
        classes = self._classes(choice, item)
        run, proposed = next(iter(self.database.ask("SELECT run, classes FROM proposals WHERE item = ?", item)), (None, ""))
        return New(item=item, kind=choice.kind, classes=classes, who=who, how=how, run=run, proposed=proposed)

    def _brought(self, one: Decision, item: int, here: Mapping[int, int]) -> New:
        if one.kind not in KINDS or one.how not in HOWS:
            raise InputError(f"{one.item}: no decision is called '{one.kind}', come by as '{one.how}'")
        if one.kind == "undo" and one.undoes not in here:
            raise InputError(f"{one.item}: an undo takes back event {one.undoes}, which is not there")
        undone = one.kind == "undo" and one.undoes is not None
        classes = (
            joined(Classes(self.database).known(one.classes))
            if one.kind == "undo" or (one.kind == "take" and not one.classes)
            else self._classes(Choice(item=one.item, kind=one.kind, classes=one.classes), item)
        )
        return New(
            item=item,
            kind=one.kind,
            classes=classes,
            who=person(one.who),
            how=one.how,
            at=instant(one.at),
            undoes=here[one.undoes] if undone and one.undoes is not None else None,
        )

    def _classes(self, choice: Choice, item: int) -> str:
        """The numbers that the kind asks for, joined."""
        if choice.kind in ("accept", "take") and not choice.classes:
            proposed = self.database.one("SELECT classes FROM proposals WHERE item = ?", item)
            if not proposed:
                raise InputError(f"{choice.item}: nothing is proposed that could be accepted; name a class, or propose first")
            return str(proposed)
        naming = choice.kind in (*NAMING, "take")
        if naming != bool(choice.classes):
            what = "a class, and none is named" if naming else f"no class, and '{choice.classes[0]}' is named"
            raise InputError(f"{choice.item}: '{choice.kind}' needs {what}")
        numbers = Classes(self.database).known(choice.classes)
        if len(numbers) > 1 and not self.settings.multi:
            told = "' and '".join(choice.classes[:2])
            raise InputError(f"{choice.item}: '{told}' are several classes, and an item has one in this project (--multi)")
        return joined(numbers)


def instant(told: str) -> str:
    """A moment as it is written down: UTC, thousandths of a second. Raises `InputError`."""
    try:
        found = datetime.fromisoformat(told)
    except ValueError:
        raise InputError(f"'{told[:60]}' is no moment; expected ISO 8601, such as 2026-01-31T12:00:00+00:00") from None
    return found.replace(tzinfo=found.tzinfo or UTC).astimezone(UTC).isoformat(timespec="milliseconds")
