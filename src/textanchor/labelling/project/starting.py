"""A project's file from its sources: read, encode, write; once at the beginning, and again when a source has changed."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypedDict

from textanchor.data.wording import plain_name
from textanchor.database import Database
from textanchor.errors import InputError
from textanchor.escaping import writable
from textanchor.files import new_file
from textanchor.labelling.project.classes import Classes, checked_classes
from textanchor.labelling.project.filling import Filled, fill
from textanchor.labelling.project.log import Log, New, joined, person
from textanchor.labelling.project.naming import anchored, knowing, named_classes, naming_space
from textanchor.labelling.project.records import Class, Settings
from textanchor.labelling.project.schema import KIND
from textanchor.labelling.project.sights import Eyes, seen
from textanchor.labelling.project.sourcing import Origin, Sourced, sourced
from textanchor.records import Item
from textanchor.runtime import Reading, Runtime
from textanchor.space import Space
from textanchor.space.storage import load

NOTHING: Mapping[str, str] = MappingProxyType({})
SETTINGS, SPACE, ENCODERS, KNOWING = "settings", "space", "encoders", "encoders that know names"


@dataclass(frozen=True, kw_only=True)
class Beginning:
    """What a project begins with.

    `labels` names a column of the source that says labels, or is `folder`; `who` says so, and `vouched` that the labelled
    items were drawn at random, so that they may tell how often the machine is wrong. `group` names a column of what items
    share, such as a speaker, or is `folder`. What names alone say of items is told by `space` (or its folder), or by `encoders`
    whose classifiers know names.
    """

    classes: Sequence[str | Class] = ()
    settings: Settings = field(default_factory=Settings)
    labels: str = ""
    group: str = ""
    who: str = "import"
    vouched: bool = False
    space: Space | str | Path | None = None
    encoders: Mapping[str, str] = field(default_factory=dict)
    reading: Reading = field(default_factory=Reading)
    runtime: Runtime = field(default_factory=Runtime)

    @property
    def origin(self) -> Origin:
        """How the source is read."""
        return Origin(reading=self.reading, labels=self.labels, group=self.group)


class SimpleBeginning(TypedDict, total=False):
    """The fields of `Beginning` as keywords."""

    classes: Sequence[str | Class]
    settings: Settings
    labels: str
    group: str
    who: str
    vouched: bool
    space: Space | str | Path | None
    encoders: Mapping[str, str]
    reading: Reading
    runtime: Runtime


def refuse(file: Path) -> None:
    """Raise `InputError` for a file that exists."""
    if file.exists():
        raise InputError(f"{file} exists already; open it, or name another place for a new project")


def begin(
    file: Path, filled: Filled, told: Beginning, *, facts: Mapping[str, str] = NOTHING, found: Sourced | None = None
) -> None:
    """Write a new file, which appears whole, with the labels of its source. Raises `InputError` if it exists."""
    refuse(file)
    origin = Origin() if found is None else found.origin
    with new_file(file, overwrite=False) as temporary, closing(Database(temporary, KIND, create=True)) as database:
        with database.writing():
            for name, value in {SETTINGS: json.dumps(asdict(told.settings)), **facts}.items():
                database.note(name, value)
            database.ask("INSERT INTO sources VALUES (0, ?)", origin.told())
            Classes(database).add(told.classes)
            fill(database, filled, seed=told.settings.seed)
            if found is not None:
                take_labels(database, found.labels, told)
        database.ask("PRAGMA wal_checkpoint(TRUNCATE)")


def started(file: Path, source: Any, told: Beginning) -> None:
    """Read and encode a source, and begin a file with it. Raises what `sourced`, `seen` and `begin` raise."""
    refuse(file)
    found = sourced(source, told.origin, multi=told.settings.multi, runtime=told.runtime)
    classes = checked_classes(_classes(told.classes, found))
    given = opened(told.space, told.runtime)
    eyes = Eyes(given, told.encoders, told.runtime)
    filled = filled_with(found.items, [(0, item.id) for item in found.items], [found], eyes)
    kinds = [one.name for one in filled.features]
    facts = {
        ENCODERS: json.dumps({kind: eyes.name(kind) for kind in kinds}),
        KNOWING: json.dumps(knowing(eyes, kinds)),
        SPACE: writable(str(given.place.absolute())) if given is not None and given.place else "",
    }
    filled = with_names(filled, naming_space(eyes, kinds), classes, told.runtime)
    begin(file, filled, replace(told, classes=classes), facts=facts, found=found)


def take_labels(database: Database, labels: Mapping[str, tuple[str, ...]], told: Beginning) -> int:
    """Write down the labels of items, by id, that are not written down yet; how many there were. Within `writing`."""
    who, how = person(told.who), "vouched" if told.vouched else "import"
    classes = Classes(database)
    known = dict(database.ask("SELECT id, item FROM items WHERE item NOT IN (SELECT item FROM events)"))
    numbers = {key: classes.known([key])[0] for keys in labels.values() for key in keys}
    events = [
        New(item=known[name], kind="import", classes=joined(sorted(numbers[key] for key in keys)), who=who, how=how)
        for name, keys in labels.items()
        if name in known
    ]
    if events:
        Log(database).add(events, rule=told.settings.rule, of_source=True)
    return len(events)


def _classes(given: Sequence[str | Class], found: Sourced) -> list[str | Class]:
    """Those that were given, else those of the labels, by name. Raises `InputError` for a label that is none of them."""
    labelled = {key: name for name, labels in reversed(list(found.labels.items())) for key in labels}
    if not given:
        return [Class(key=key, text=plain_name(key)) for key in sorted(labelled)]
    keys = {one.key for one in checked_classes(given)}
    for key, name in labelled.items():
        if key not in keys:
            raise InputError(f"{name} is labelled '{key}', which is none of the classes; name it too, or name none")
    return list(given)


def filled_with(items: Sequence[Item], sources: Sequence[tuple[int, str]], found: Sequence[Sourced], eyes: Eyes) -> Filled:
    """Items with their features; those that cannot be read are left out."""
    known = {name: content for one in found for name, content in one.contents.items()}
    told = seen(items, eyes, known=known)
    of = {item.id: source for item, source in zip(items, sources, strict=True)}
    groups = {name: group for one in found for name, group in one.groups.items()}
    return Filled(
        items=told.items,
        sources=[of[item.id] for item in told.items],
        contents=told.contents,
        groups=[groups.get(item.id, "") for item in told.items],
        features=told.features,
        skipped=[*(skipped for one in found for skipped in one.skipped), *told.skipped],
    )


def with_names(filled: Filled, space: Space, classes: Sequence[Class], runtime: Runtime) -> Filled:
    """With what the classes' texts say of the items."""
    held = anchored(space, filled.items, runtime)
    named = named_classes(space, held, [one.text for one in classes], runtime)
    return replace(filled, anchored=held, named=named)


def opened(space: Space | str | Path | None, runtime: Runtime) -> Space | None:
    """A space, loaded if it is a folder's name."""
    return load(space, runtime=runtime) if isinstance(space, str | Path) else space
