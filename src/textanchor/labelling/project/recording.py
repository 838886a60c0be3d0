"""From what somebody decides to events of the log."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from textanchor.database import Database
from textanchor.errors import InputError
from textanchor.labelling.project.classes import Classes
from textanchor.labelling.project.entries import Entries
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
        """Take a person's last step back; the events that do so."""
        first = Log(self.database).undo(person(who), rule=self.settings.rule)
        return [] if first is None else self.since(first)

    def bring(self, choices: Sequence[Choice]) -> int:
        """Write down decisions that were made elsewhere, by whom and when they say; how many were not there yet.

        Raises `InputError` as `record`, and for a moment that is none.
        """
        entries = Entries(self.database)
        numbers = entries.numbers([one.item for one in choices])
        there = set(self.database.ask("SELECT item, kind, classes, who, at FROM events WHERE kind != 'undo'"))
        events = [
            self._event(one, item, person(one.who), one.how or "import") for one, item in zip(choices, numbers, strict=True)
        ]
        fresh = [one for one in events if (one.item, one.kind, one.classes, one.who, one.at) not in there]
        if fresh:
            Log(self.database).add(fresh, rule=self.settings.rule)
        return len(fresh)

    def since(self, first: int) -> list[Decision]:
        """The events from one on."""
        return list(Log(self.database).history("e.event >= ?", [first], newest=False, limit=LAST))

    def _event(self, choice: Choice, item: int, who: str, how: str) -> New:
        if choice.kind not in KINDS or choice.kind == "undo" or how not in HOWS:
            known = ", ".join(one for one in KINDS if one != "undo")
            raise InputError(f"{choice.item}: no decision is called '{choice.kind}' ('{how}'); expected one of {known}")
        classes = self._classes(choice, item)
        run, proposed = next(iter(self.database.ask("SELECT run, classes FROM proposals WHERE item = ?", item)), (None, ""))
        at = choice.at and instant(choice.at)
        return New(item=item, kind=choice.kind, classes=classes, who=who, how=how, at=at, run=run, proposed=proposed)

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
