"""A labelling project: one file with items, what people decided of them, and what the machine proposes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, Unpack

import numpy as np

from textanchor.escaping import written_back
from textanchor.files import located
from textanchor.labelling.pool import Labelled, Pool, Probabilities
from textanchor.labelling.project import arrays
from textanchor.labelling.project.classes import Classes
from textanchor.labelling.project.configuring import changed, settings_of
from textanchor.labelling.project.counting import progress
from textanchor.labelling.project.entries import Entries, Simple, Wanted
from textanchor.labelling.project.filling import FILLED, NAMED, PROPOSED, VECTORS, Filled, stamp
from textanchor.labelling.project.leasing import Asking
from textanchor.labelling.project.log import Log, person
from textanchor.labelling.project.pooling import Told, pooled, told_by_people
from textanchor.labelling.project.queueing import AHEAD, chosen, enqueue, is_due
from textanchor.labelling.project.recording import LAST, Recording
from textanchor.labelling.project.records import (
    Ask,
    Audited,
    Choice,
    Class,
    Decision,
    Entry,
    Overview,
    Progress,
    Run,
    Settings,
    SimplePromise,
    Synced,
    several,
)
from textanchor.labelling.project.renaming import named_anew
from textanchor.labelling.project.runs import newest_run, runs_of
from textanchor.labelling.project.schema import connected
from textanchor.labelling.project.starting import SPACE, Beginning, SimpleBeginning, begin, started
from textanchor.labelling.project.syncing import synced
from textanchor.records import Vectors
from textanchor.runtime import Runtime

if TYPE_CHECKING:
    from textanchor.labelling.guarantee import Promise


class Project:
    """A project's file, opened. Several threads and processes, and several people, may use it at once.

    What a call that decides something has returned is on disk. Raises `InputError` if there is no such file, `DamagedError` if
    it is none of ours or damaged.
    """

    def __init__(self, file: str | Path, *, runtime: Runtime | None = None) -> None:
        self.file, self.runtime = located(file), runtime or Runtime()
        self.database = connected(self.file)
        self._pool: tuple[str, Pool] | None = None

    def __repr__(self) -> str:
        told = self.progress()
        return f"Project({self.file.name}: {told.labelled} of {told.items} labelled, {len(self.classes)} classes)"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file."""
        self.database.close()

    @staticmethod
    def start(file: str | Path, source: Any, told: Beginning | None = None, **simple: Unpack[SimpleBeginning]) -> Project:
        """Begin a project with the items of a folder, table, archive, `Collection`, or what Python holds, encoded.

        What is told stands in the record, or in its fields as keywords. Raises `InputError` if the file exists, or for what the
        source does not have; `NothingUsableError` for fewer than three items that can be read.
        """
        whole = replace(told or Beginning(), **simple)
        started(located(file), source, whole)
        begun = Project(file, runtime=whole.runtime)
        begun.refill()
        return begun

    @staticmethod
    def begin(file: str | Path, filled: Filled, told: Beginning | None = None, **simple: Unpack[SimpleBeginning]) -> Project:
        """Begin a project with features that were made elsewhere. Raises `InputError` if the file exists."""
        begin(located(file), filled, replace(told or Beginning(), **simple))
        return Project(file)

    def sync(self, source: Any = None, told: Beginning | None = None, **simple: Unpack[SimpleBeginning]) -> Synced:
        """Bring it to what its sources hold now, and with `source` follow another one too; what was decided stays. Items that
        are gone are asked about no more. Raises `InputError` for a source that is gone, then nothing is changed."""
        given = replace(told or Beginning(space=self.space or None), **simple)
        given = replace(given, settings=self.settings)
        found = synced(self.database, given, None if source is None else (source, given.origin))
        self.refill()
        return found

    @property
    def settings(self) -> Settings:
        """How it works."""
        return settings_of(self.database)

    def change(self, **settings: Any) -> Settings:
        """Let it work otherwise from now on: see `Settings`. Raises `InputError` for a setting that it does not have, and for
        `multi` or `seed`, which are for ever."""
        with self.database.writing():
            return changed(self.database, settings)

    @property
    def state(self) -> tuple[int, int]:
        """Other numbers when anything was written, by anybody."""
        return self.database.state

    @property
    def space(self) -> str:
        """The folder of the space that it was begun with; empty without one."""
        return written_back(self.database.fact(SPACE))

    @property
    def classes(self) -> tuple[Class, ...]:
        """Its classes, in the order in which they came."""
        return Classes(self.database).all()

    def add_class(self, key: str, text: str = "") -> Class:
        """Add a class; without a text it is made of the key. Raises `InputError` if there is one of that key."""
        with self.database.writing():
            return Classes(self.database).add([Class(key=key, text=text)])[0]

    def describe(self, key: str, text: str) -> Class:
        """Put a class into other words; its key stays. Raises `UnknownNameError`."""
        with self.database.writing():
            return Classes(self.database).describe(key, text)

    def entry(self, name: str) -> Entry:
        """The item of that id. Raises `InputError` if there is none."""
        return Entries(self.database).one(name)

    def entries(self, wanted: Wanted | None = None, **simple: Unpack[Simple]) -> list[Entry]:
        """Items that pass everything that is asked: see `Wanted`, whose fields may be given as keywords."""
        with self.database.reading():
            return Entries(self.database).all(replace(wanted or Wanted(), **simple))

    def entries_of(self, numbers: Sequence[int]) -> list[Entry]:
        """The items of these numbers, in that order."""
        return Entries(self.database).of(numbers)

    def overview(self) -> Overview:
        """All items as arrays, rows as in `pool`."""
        with self.database.reading():
            return Entries(self.database).overview()

    def progress(self) -> Progress:
        """How far it is."""
        with self.database.reading(), self.database.sound():
            return progress(self.database)

    def pool(self) -> Pool:
        """Items as features; kept until they or the classes change."""
        with self.database.reading(), self.database.sound():
            version = f"{self.database.fact(FILLED)} {stamp(self.classes)} {self.database.fact(NAMED)}"
            if self._pool is None or self._pool[0] != version:
                self._pool = version, pooled(self.database)
            return self._pool[1]

    def told(self) -> Told:
        """What people said of the pool's items."""
        with self.database.reading(), self.database.sound():
            return told_by_people(self.database)

    def labelled(self) -> Labelled:
        """Rows of the pool that people labelled; of several classes the first."""
        return self.told().labelled

    def probabilities(self) -> Probabilities | None:
        """Those of the newest run, rows as in `pool`; None before the first, or since items or classes were added."""
        with self.database.reading():
            found = arrays.kept(self.database, PROPOSED)
            fits = found is not None and found.shape == (len(self.pool()), len(self.classes))
        return found.astype(np.float32) if found is not None and fits else None

    def vectors(self) -> Vectors | None:
        """Raw vectors in the anchor's space, rows as in `pool`, zero where an item has none; None without a space."""
        found = arrays.kept(self.database, VECTORS)
        return None if found is None else found.astype(np.float32)

    def next(self, who: str, count: int = 1, *, stream: str = "mixed", skip: Sequence[str] = ()) -> list[Ask]:
        """Items that this person is to decide on, which nobody else is given meanwhile: first those that are still open.

        `stream` is `mixed`, or one way only: `drawn` at random, `chosen` by the strategy, `audit` of what was taken over.
        Shorter than `count` where no more is left. Raises `InputError`.
        """
        told = person(who)
        self._asking().check(stream, count)
        if stream in ("mixed", "chosen") and is_due(self.database, count):
            self.refill()
        with self.database.writing():
            return self._asking().next(told, count, stream, set(Entries(self.database).numbers(skip)))

    def refill(self, count: int = AHEAD) -> int:
        """Let the strategy choose anew what is asked next; how many items it named."""
        rows = chosen(self.settings, self.pool(), self.told(), self.probabilities(), count=count)
        with self.database.writing():
            return enqueue(self.database, rows)

    def release(self, who: str, ids: Sequence[str] | None = None) -> None:
        """Give a person's asks back, all or some."""
        with self.database.writing():
            self._asking().release(person(who), None if ids is None else Entries(self.database).numbers(ids))

    def decide(self, name: str, kind: str = "label", classes: Sequence[str] = (), *, who: str, how: str = "picked") -> Decision:
        """Write down what a person decides of an item: see `Choice`. How the person came by it is known if it was asked.

        Raises `InputError` for an item or a class that is not there.
        """
        return self.decide_all([Choice(item=name, kind=kind, classes=several(classes))], who=who, how=how)[0]

    def decide_all(self, choices: Sequence[Choice], *, who: str, how: str = "bulk") -> list[Decision]:
        """Several decisions as one step, all or none."""
        with self.database.writing():
            return self._recording().record(choices, who, how)

    def bring(self, decisions: Sequence[Decision]) -> int:
        """Write down decisions that were made elsewhere, by whom and when they say; how many were not there yet."""
        with self.database.writing():
            return self._recording().bring(decisions)

    def undo(self, who: str) -> list[Decision]:
        """Take this person's last step back; the events that do so, none if nothing is left."""
        with self.database.writing():
            return self._recording().undo(who)

    def history(
        self,
        *,
        item: str | None = None,
        who: str | None = None,
        after: int = 0,
        limit: int | None = None,
        newest: bool = False,
    ) -> list[Decision]:
        """The log, or that of an item or a person, behind an event."""
        told = {"id = ?": item, "who = ?": who, "e.event > ?": after}
        with self.database.sound():
            return Log(self.database).chosen(told, newest=newest, limit=LAST if limit is None else limit)

    def propose(self, promise: Promise | None = None, *, proposer: str = "", **simple: Unpack[SimplePromise]) -> Run:
        """Propose a class for every item, and let through what the promise allows; fields of `Promise` may be keywords. Raises
        `InputError` where nothing is known."""
        from textanchor.labelling.project import running

        says = named_anew(self.database, self.runtime)
        settings = replace(self.settings, proposer=proposer or self.settings.proposer)
        return running.ran(self.database, self.pool(), self.told(), running.wanted(promise, simple, settings), settings, says)

    def runs(self) -> list[Run]:
        """What the machine did, the oldest run first."""
        return runs_of(self.database)

    @property
    def run(self) -> Run | None:
        """The newest run; None before the first."""
        return newest_run(self.database)

    @property
    def certificate(self) -> str:
        """The newest run's certificate as JSON, with what people have seen in its audit; empty where nothing is let through."""
        from textanchor.labelling.project.certifying import certificate_of

        return certificate_of(self.database)

    def accept(self, classes: Sequence[str] = (), *, above: float | None = None, who: str) -> int:
        """Take proposals over without a look, as one step that `undo` takes back: those that the promise lets through, or of
        some classes, or at least so probable; how many. Raises `InputError` where the promise lets nothing through."""
        from textanchor.labelling.project.accepting import accepted

        with self.database.writing():
            return accepted(self.database, several(classes), above, who=person(who), rule=self.settings.rule)

    def audit(self, promise: Promise | None = None, **simple: Unpack[SimplePromise]) -> Audited:
        """How often what was taken over, or is on trial, is wrong, by what people saw of it in random order (stream `audit`).
        What is asked is the newest run's promise unless another is given."""
        from textanchor.labelling.project.auditing import audited_as

        with self.database.reading():
            return audited_as(self.database, promise, simple)

    def _asking(self) -> Asking:
        return Asking(database=self.database, settings=self.settings)

    def _recording(self) -> Recording:
        return Recording(database=self.database, settings=self.settings)
