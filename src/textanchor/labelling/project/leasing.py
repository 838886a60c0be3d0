"""Who is asked about which item: drawn at random, chosen by a strategy, audited, or asked once more; leased while it lasts."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from textanchor.database import Database, marks
from textanchor.errors import InputError
from textanchor.labelling.project.entries import Entries
from textanchor.labelling.project.records import HOWS, STREAMS, Ask, Settings

KEPT = 7 * 24 * 3600.0  # seconds for which it is remembered how somebody came by an item
APART = 10  # decisions of a person before one of them is asked once more
ASKED = ("drawn", "chosen", "audit", "repeat")  # ways by which an item comes to be somebody's
_UNDECIDED = "(s.status IS NULL OR s.status = 'machine')"  # by any person
_TURN = "(SELECT turn FROM proposals p WHERE p.item = i.item AND p.through)"  # of what is on trial
_LEFT = "SELECT i.item FROM items i LEFT JOIN states s ON s.item = i.item WHERE i.row IS NOT NULL"


@dataclass(frozen=True, kw_only=True)
class Asking:
    """Hands out items of a file; whatever writes does so within `Database.writing`."""

    database: Database
    settings: Settings

    def next(self, who: str, count: int, stream: str, skip: Collection[int]) -> list[Ask]:
        """A person's open asks, and as many new ones as are wanted beside; none of them is given to anybody else meanwhile."""
        now = time.time()
        self.database.ask("DELETE FROM asks WHERE until < ?", now - KEPT)
        own = [(item, how) for item, how in self._own(who, stream) if item not in skip][:count]
        busy = {item for (item,) in self.database.ask("SELECT item FROM asks WHERE who != ? AND until > ?", who, now)}
        busy |= {item for item, _ in own} | set(skip)
        while len(own) < count and (found := self._found(who, stream, busy)) is not None:
            own.append(found)
            busy.add(found[0])
            self._lease(who, *found, now)
        for item, how in own:
            self._lease(who, item, how, now)
        until = datetime.fromtimestamp(now + self.settings.lease, UTC).isoformat(timespec="seconds")
        entries = {one.number: one for one in Entries(self.database).of([item for item, _ in own])}
        return [Ask(entry=entries[item], how=how, until=until) for item, how in own if item in entries]

    def check(self, stream: str, count: int) -> None:
        """Raise `InputError` for a stream that nobody knows, or no count."""
        if stream not in STREAMS or count < 1:
            raise InputError(f"stream={stream}, count={count}: expected {', '.join(STREAMS)} and a count of at least 1")

    def release(self, who: str, items: Sequence[int] | None) -> None:
        """Give a person's asks back, all or some."""
        if items is None:
            self.database.ask("DELETE FROM asks WHERE who = ?", who)
        for item in items or ():
            self.database.ask("DELETE FROM asks WHERE who = ? AND item = ?", who, item)

    def again(self, who: str, first: int) -> None:
        """Lease what the undo that begins with this event took back: to the person who had been asked about it."""
        told = f"SELECT item, how FROM events WHERE event >= ? AND how IN ({marks(ASKED)}) ORDER BY event"
        for item, how in self.database.ask(told, first, *ASKED):
            self._lease(who, item, how, time.time())

    def _own(self, who: str, stream: str) -> list[tuple[int, str]]:
        """Asks that are open, in the order in which they came: nobody else has decided meanwhile, unless that is the point."""
        told = self.database.ask(
            f"SELECT a.item, how FROM asks a JOIN items i USING (item) LEFT JOIN states s ON s.item = a.item "
            f"WHERE who = ? AND i.row IS NOT NULL AND ({_UNDECIDED} OR how = 'repeat' OR s.status = 'unsure') ORDER BY ask",
            who,
        )
        return [(int(item), str(how)) for item, how in told if stream in ("mixed", how)]

    def _found(self, who: str, stream: str, busy: Collection[int]) -> tuple[int, str] | None:
        """The next item that is to be decided, by the first way that has one."""
        for how in self._ways(who) if stream == "mixed" else (stream,):
            item = _WAYS[how](self, who, busy)
            if item is not None:
                return item, how if how in HOWS else "chosen"
        return None

    def _ways(self, who: str) -> tuple[str, ...]:
        """Ways in the order in which they are tried: as many at random as the settings say.

        Once the machine's classes were taken over, what it left is asked first; what it took is for the audit.
        """
        asked = Counter(dict(self.database.ask("SELECT how, count(*) FROM asks GROUP BY how")))
        asked.update(dict(self.database.ask("SELECT how, count(*) FROM events WHERE how IN ('drawn', 'chosen') GROUP BY how")))
        number = int(self.database.one("SELECT coalesce(max(event), 0) FROM events")) + sum(asked.values())
        repeats = random.Random(f"{self.settings.seed} {number} {who}").random() < self.settings.repeats
        taken = bool(self.database.ask("SELECT 1 FROM states WHERE status = 'machine' LIMIT 1"))
        both = asked["drawn"] + asked["chosen"]
        at_random = not taken and asked["drawn"] <= self.settings.drawn * both and self.settings.drawn > 0
        ways = ("drawn", "chosen") if at_random else ("chosen",) if taken else ("chosen", "drawn")
        return (*(("repeat",) if repeats else ()), *ways, "left", "unsure")

    def _drawn(self, who: str, busy: Collection[int]) -> int | None:
        return self._first(f"{_LEFT} AND {_UNDECIDED} ORDER BY i.rank", busy)

    def _chosen(self, who: str, busy: Collection[int]) -> int | None:
        joined = "SELECT i.item FROM queue JOIN items i USING (item) LEFT JOIN states s ON s.item = i.item"
        return self._first(f"{joined} WHERE i.row IS NOT NULL AND s.status IS NULL ORDER BY place", busy)

    def _left(self, who: str, busy: Collection[int]) -> int | None:
        return self._first(f"{_LEFT} AND s.status IS NULL ORDER BY i.rank", busy)

    def _audit(self, who: str, busy: Collection[int]) -> int | None:
        return self._first(f"{_LEFT} AND {self._audited()} ORDER BY {_TURN} IS NULL, {_TURN}, i.rank", busy)

    def _audited(self) -> str:
        """What was taken over, and what is on trial until an audit says so."""
        trial = self.database.one("SELECT json_extract(told, '$.trial') FROM runs ORDER BY run DESC LIMIT 1")
        on_trial = "(s.status IS NULL AND i.item IN (SELECT item FROM proposals WHERE through))"
        return f"(s.status = 'machine' OR {on_trial})" if trial else "s.status = 'machine'"

    def _unsure(self, who: str, busy: Collection[int]) -> int | None:
        """What others were unsure of."""
        told = "NOT EXISTS (SELECT 1 FROM events e WHERE e.item = i.item AND e.who = ?)"
        return self._first(f"{_LEFT} AND s.status = 'unsure' AND {told} ORDER BY i.rank", busy, who)

    def _repeat(self, who: str, busy: Collection[int]) -> int | None:
        """Something that was decided long enough ago, which this person was not asked once more before."""
        told = (
            f"{_LEFT} AND s.status IN ('label', 'none') AND s.people > 0 AND NOT EXISTS (SELECT 1 FROM events e WHERE "
            "e.item = i.item AND e.who = ? AND (e.how = 'repeat' OR e.event IN "
            "(SELECT event FROM events WHERE who = ? ORDER BY event DESC LIMIT ?))) ORDER BY i.item"
        )
        found = [item for (item,) in self.database.ask(told, who, who, APART) if item not in busy]
        number = self.database.one("SELECT coalesce(max(event), 0) FROM events")
        return random.Random(f"{self.settings.seed} {number}").choice(found) if found else None

    def _first(self, statement: str, busy: Collection[int], *values: object) -> int | None:
        """The first that is not at hand elsewhere."""
        for (item,) in self.database.ask(f"{statement} LIMIT ?", *values, len(busy) + 1):
            if item not in busy:
                return int(item)
        return None

    def _lease(self, who: str, item: int, how: str, now: float) -> None:
        self.database.ask(
            "INSERT INTO asks (item, who, how, until) VALUES (?, ?, ?, ?) "
            "ON CONFLICT (item, who) DO UPDATE SET until = excluded.until",
            item,
            who,
            how,
            now + self.settings.lease,
        )


_WAYS: dict[str, Callable[[Asking, str, Collection[int]], int | None]] = {
    "drawn": Asking._drawn,
    "chosen": Asking._chosen,
    "left": Asking._left,
    "audit": Asking._audit,
    "unsure": Asking._unsure,
    "repeat": Asking._repeat,
}
