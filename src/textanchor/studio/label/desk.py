"""A project on the studio's desk: all that the page may do with it. Every word of it is the project's own."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from textanchor import registry
from textanchor.errors import InputError
from textanchor.labelling.guarantee import Promise
from textanchor.labelling.project import Audited, Choice, Class, Entry, Progress
from textanchor.runtime import Limits
from textanchor.studio.label.gathering import Clustered, proposed_as, suspected
from textanchor.studio.label.machine import Machine
from textanchor.studio.label.requests import AddClass, Decide, Next, Propose
from textanchor.studio.label.telling import Teller, Told
from textanchor.studio.showing import keys
from textanchor.studio.sources import Labelling

UNDONE, FEW = 50, 20  # items that an undo tells of; and keys that are looked up one by one


@dataclass(frozen=True, kw_only=True)
class Standing:
    """How a project stands: other `version`s mean that something was written, by anybody.

    `says` are the machine's own lines, `run` the number of its last run, 0 before the first; `accuracy` is out of fold.
    """

    version: str
    name: str
    classes: tuple[Class, ...]
    multi: bool
    progress: Progress
    run: int
    accuracy: float | None
    through: int
    says: tuple[str, ...]
    audited: Audited | None
    working: bool
    failed: str


@dataclass(frozen=True, kw_only=True)
class Group:
    """Items to be labelled at once: the keys of all, and those that are shown; see `gathering.Together`."""

    number: int
    count: int
    keys: tuple[str, ...]
    centre: tuple[Told, ...]
    edge: tuple[Told, ...]
    suggested: str


class Desk:
    """One project."""

    def __init__(self, source: Labelling, limits: Limits) -> None:
        self.source, self._teller = source, Teller(source, limits)
        self._clustered, self._machine = Clustered(source), Machine(source.project)

    @property
    def version(self) -> str:
        """Another one when anybody has written anything, or the machine begins or ends."""
        return ".".join(map(str, (*self.source.project.state, self._machine.working)))

    def standing(self) -> Standing:
        """How it stands."""
        project, run = self.source.project, self.source.project.run
        progress = project.progress()
        return Standing(
            version=self.version,
            name=self.source.name,
            classes=project.classes,
            multi=project.settings.multi,
            progress=progress,
            run=0 if run is None else run.run,
            accuracy=None if run is None else run.accuracy,
            through=progress.through,
            says=() if run is None else run.says,
            audited=_looked_at(project.audit()) if progress.machine else None,
            working=self._machine.working,
            failed=self._machine.failed,
        )

    def next(self, asked: Next) -> list[Told]:
        """Items that a person is to decide on; how they were come by is not told, so that repeats stay hidden."""
        skip = [self.source.entry(key).id for key in asked.skip]
        asks = self.source.project.next(asked.who, asked.count, stream=asked.stream, skip=skip)
        return self._teller.told([one.entry for one in asks])

    def shown(self, wanted: Sequence[str]) -> list[Told]:
        """Some items as they stand now."""
        return self._teller.told([self.source.entry(key) for key in wanted])

    def decide(self, asked: Decide) -> None:
        """Write decisions down, as one step."""
        ids = self._ids([one.key for one in asked.choices])
        choices = [Choice(item=name, kind=one.kind, classes=one.classes) for name, one in zip(ids, asked.choices, strict=True)]
        self.source.project.decide_all(choices, who=asked.who, how=asked.how)

    def undo(self, who: str) -> list[Told]:
        """Take a person's last step back; its first items, as they stand now."""
        undone = self.source.project.undo(who)
        ids = list(dict.fromkeys(one.item for one in undone))[:UNDONE]
        return self._teller.told(self.source.project.entries(ids=ids)) if ids else []

    def grid(self, proposed: str, *, surest: bool, count: int) -> list[Told]:
        """Undecided items that are proposed as one class."""
        return self._teller.told(proposed_as(self.source, proposed, surest=surest, count=count))

    def suspects(self, count: int) -> list[Told]:
        """Labelled items whose label is believed least."""
        return self._teller.told(suspected(self.source, count))

    def cluster(self, number: int, *, anew: bool) -> Group | None:
        """Undecided items that lie together; None where none is left."""
        found = self._clustered.cluster(number, anew=anew)
        if found is None:
            return None
        entries = {one.id: one for one in self.source.project.entries(ids=[*found.centre, *found.edge])}

        def told(ids: Sequence[str]) -> tuple[Told, ...]:
            some: list[Entry] = [entries[name] for name in ids if name in entries]
            return tuple(self._teller.told(some))

        return Group(
            number=found.number,
            count=found.count,
            keys=tuple(self.source.key(number, name) for number, name in zip(found.numbers, found.ids, strict=True)),
            centre=told(found.centre),
            edge=told(found.edge),
            suggested=found.suggested,
        )

    def propose(self, asked: Propose) -> None:
        """Let the machine begin. Raises `UnknownNameError` for a form of promise that nobody knows."""
        registry.load("guarantee", asked.form)
        settings = self.source.project.settings
        promise = Promise(form=asked.form, level=asked.level, delta=asked.delta, seed=settings.seed)
        self._machine.propose(promise)

    def take(self, who: str) -> int:
        """Take over what the promise lets through; how many items."""
        return self.source.project.accept(who=who)

    def add_class(self, asked: AddClass) -> Class:
        """One more class."""
        return self.source.project.add_class(asked.key, asked.text)

    def _ids(self, wanted: Sequence[str]) -> list[str]:
        """Names of items by their keys. Raises `InputError` for one that is not there any more."""
        places = [keys.place_in(key)[0] for key in wanted]
        seen = self.source.project.overview() if len(wanted) > FEW else None
        if seen is None:
            return [self.source.entry(key).id for key in wanted]
        known = dict(zip(seen.numbers.tolist(), seen.ids, strict=True))
        for key, place in zip(wanted, places, strict=True):
            if place not in known:
                raise InputError("one of these items is not there any more; look again")
            keys.check(key, known[place])
        return [known[place] for place in places]


def _looked_at(found: Audited) -> Audited | None:
    return None if math.isnan(found.share) else found
