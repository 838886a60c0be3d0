"""A project brought to what its sources hold now; what was decided stays with its items."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from textanchor.data.held import found_again, held_as
from textanchor.database import Database
from textanchor.errors import InputError
from textanchor.escaping import written_back
from textanchor.labelling.project.classes import Classes
from textanchor.labelling.project.filling import fill
from textanchor.labelling.project.naming import opened_space
from textanchor.labelling.project.records import Synced
from textanchor.labelling.project.renaming import told_json
from textanchor.labelling.project.sights import Eyes
from textanchor.labelling.project.sourcing import MEMORY, Origin, Sourced, sourced
from textanchor.labelling.project.starting import ENCODERS, KNOWING, Beginning, filled_with, opened, take_labels, with_names
from textanchor.records import Item

T = TypeVar("T")


def synced(database: Database, told: Beginning, more: Any = None) -> Synced:
    """Look at all sources again, and with `more`, a pair of a source and an `Origin`, at a new one too.

    Raises what `sourced` and `seen` raise, and `InputError` for a source that is there already; then nothing is changed.
    """
    told_before = database.ask("SELECT id, source, name FROM items ORDER BY item")
    named = {(int(source), str(name)): str(own) for own, source, name in told_before}
    found = {source: _renamed(source, one, named) for source, one in _looked_at(database, told, more).items()}
    sources = {own: of for of, own in named.items()}
    there = {item.id: item for one in found.values() for item in one.items}
    items = [there[own] for own in sources if own in there]  # those that were there keep their order
    given = opened(told.space, told.runtime)
    encoders = {**told_json(database, ENCODERS), **told.encoders}
    eyes = Eyes(given, encoders if given is None else told.encoders, told.runtime)
    filled = filled_with(items, [sources[item.id] for item in items], list(found.values()), eyes)
    space = given or opened_space("", encoders, told_json(database, KNOWING), told.runtime)
    filled = with_names(filled, space, Classes(database).all(), told.runtime)
    before = dict(database.ask("SELECT id, content FROM items WHERE row IS NOT NULL"))
    with database.writing():
        if more is not None:
            database.ask("INSERT INTO sources VALUES (?, ?)", max(found), found[max(found)].origin.told())
        fill(database, filled, seed=told.settings.seed)
        for one in found.values():
            take_labels(database, one.labels, told)
    now = {item.id: content for item, content in zip(filled.items, filled.contents, strict=True)}
    changed = sum(content != now.get(own, content) for own, content in before.items())
    return Synced(
        new=len(now.keys() - before.keys()),
        gone=len(before.keys() - now.keys()),
        changed=changed,
        unchanged=len(now.keys() & before.keys()) - changed,
        skipped=len(filled.skipped),
    )


def _renamed(source: int, found: Sourced, named: dict[tuple[int, str], str]) -> Sourced:
    """With the ids by which the project knows its items; a new one that another source has too is called with its place."""
    taken = set(named.values())
    for item in found.items:
        if (source, item.id) not in named:
            own = item.id if item.id not in taken else f"{found.origin.place}/{item.id}"
            named[source, item.id] = own
            taken.add(own)

    def renamed(told: Mapping[str, T]) -> dict[str, T]:
        return {named[source, name]: value for name, value in told.items() if (source, name) in named}

    return replace(
        found,
        items=tuple(replace(item, id=named[source, item.id]) for item in found.items),
        contents=renamed(found.contents),
        labels=renamed(found.labels),
        groups=renamed(found.groups),
    )


def _looked_at(database: Database, told: Beginning, more: Any) -> dict[int, Sourced]:
    found: dict[int, Sourced] = {}
    for source, held in database.ask("SELECT source, told FROM sources ORDER BY source"):
        origin = Origin.of(held)
        if origin.place == MEMORY:
            found[source] = _remembered(database, source, origin)
            continue
        if more is not None and isinstance(more[0], str | Path) and str(Path(more[0]).absolute()) == written_back(origin.place):
            raise InputError(f"{more[0]} is a source already; look at it again: textanchor label sync")
        found[source] = sourced(Path(written_back(origin.place)), origin, multi=told.settings.multi, runtime=told.runtime)
    if more is not None:
        place, origin = more
        found[max(found, default=-1) + 1] = sourced(place, origin, multi=told.settings.multi, runtime=told.runtime)
    return found


def _remembered(database: Database, source: int, origin: Origin) -> Sourced:
    """Items that Python gave: their files and texts are still there; what lay in memory only is known by its latents."""
    told = database.ask(
        "SELECT name, modality, path, held, content, grp, fields FROM items WHERE source = ? AND row IS NOT NULL ORDER BY item",
        source,
    )
    items = tuple(
        Item(
            id=name,
            modality=modality,
            path=None if path is None else found_again(path),
            value=None if held is None else held_as(held),
            fields=json.loads(fields),
        )
        for name, modality, path, held, _, _, fields in told
    )
    groups = {name: group for name, _, _, _, _, group, _ in told if group}
    contents = {name: content for name, _, _, _, content, _, _ in told}
    return Sourced(origin=origin, items=items, contents=contents, labels={}, groups=groups, skipped=())
