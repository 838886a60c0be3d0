"""Items and what is known of them as arrays go into a project's file, at its beginning and when its sources have changed."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from textanchor.collections.storing.catalogue import written
from textanchor.data.held import told_of
from textanchor.database import Database
from textanchor.errors import InputError
from textanchor.escaping import writable
from textanchor.files import digest
from textanchor.labelling.pool import Features
from textanchor.labelling.project import arrays
from textanchor.labelling.project.classes import Classes
from textanchor.labelling.project.naming import Anchored, NamedClasses
from textanchor.labelling.project.records import Class
from textanchor.records import Item, Skipped

FILLED, NAMED = "filled", "named"  # how often; which classes
SIGHT, PRESENT, VECTORS, BY_NAMES, TEXTS, PROPOSED = "sight ", "present ", "vectors", "by names", "texts", "probabilities"


@dataclass(frozen=True, kw_only=True)
class Filled:
    """All items of a project in their order, and their features, a row an item.

    `contents` are equal for equal items (by default none are), `groups` for items that share something, "" for one that
    shares nothing. `sources` says by number and name where each came from.
    """

    items: Sequence[Item]
    features: Sequence[Features]
    contents: Sequence[str] = ()
    groups: Sequence[str] = ()
    sources: Sequence[tuple[int, str]] = ()
    skipped: Sequence[Skipped] = ()
    named: NamedClasses | None = None
    anchored: Anchored | None = None

    def __post_init__(self) -> None:
        """Raises `InputError` for two items of one id, and rows that are no item's."""
        twins = Counter(item.id for item in self.items).most_common(1)
        if not twins or twins[0][1] > 1:
            raise InputError(f"two items are called '{twins[0][0]}'; an id means one item" if twins else "there is no item")
        for one in self.features:
            if len(one.values) != len(self.items):
                raise InputError(f"the features {one.name} have {len(one.values)} rows, and there are {len(self.items)} items")


def fill(database: Database, filled: Filled, *, seed: int) -> None:
    """Write them in place of what was there; decisions stay with their items. Within `writing`."""
    database.ask("UPDATE items SET row = NULL")
    database.ask_each(
        "INSERT INTO items (id, source, name, modality, path, held, content, grp, fields, rank, row) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET modality = excluded.modality, "
        "path = excluded.path, held = excluded.held, content = excluded.content, grp = excluded.grp, "
        "fields = excluded.fields, row = excluded.row",
        (
            (item.id, *source, *_told(item), content, group, written(item.fields), rank(seed, item.id), row)
            for row, (item, source, content, group) in enumerate(
                zip(
                    filled.items,
                    filled.sources or [(0, one.id) for one in filled.items],
                    filled.contents or [one.id for one in filled.items],
                    filled.groups or [""] * len(filled.items),
                    strict=True,
                )
            )
        ),
    )
    database.ask("DELETE FROM skipped")
    database.ask_each("INSERT OR REPLACE INTO skipped VALUES (?, ?)", ((one.item, one.reason) for one in filled.skipped))
    database.ask("DELETE FROM queue")
    database.note(FILLED, str(int(database.fact(FILLED, "0")) + 1))
    _keep_arrays(database, filled)


def rank(seed: int, name: str) -> int:
    """An item's place in the random order: by its name alone, so that items that come later change no other's."""
    told = hashlib.blake2b(f"{seed} {name}".encode(), digest_size=8, person=b"asked").digest()
    return int.from_bytes(told, "big") >> 1


def keep_names(database: Database, classes: Sequence[Class], named: NamedClasses) -> None:
    """What the texts of these classes say, in place of what was there. Within `writing`."""
    for name in (TEXTS, BY_NAMES):
        arrays.drop(database, name)
    arrays.keep(database, TEXTS, named.texts, "f4")
    if named.by_names is not None:
        arrays.keep(database, BY_NAMES, named.by_names, "f4")
    database.note(NAMED, stamp(classes))


def stamp(classes: Sequence[Class]) -> str:
    """Another when classes were added or put into other words."""
    return digest(*(part for one in classes for part in (one.key, one.text)))


def _keep_arrays(database: Database, filled: Filled) -> None:
    for prefix in (SIGHT, PRESENT, VECTORS, BY_NAMES, TEXTS, PROPOSED):
        for name in arrays.names(database, prefix):
            arrays.drop(database, name)
    for place, one in enumerate(filled.features):
        arrays.keep(database, f"{SIGHT}{place} {one.name}", one.values, "f2")
        arrays.keep(database, f"{PRESENT}{place}", one.present[:, None].astype(np.uint8), "u1")
    if filled.named is not None:
        keep_names(database, Classes(database).all(), filled.named)
    if filled.anchored is not None:
        arrays.keep(database, VECTORS, filled.anchored.vectors, "f2")


def _told(item: Item) -> tuple[str, str | None, str | None]:
    path = None if item.path is None else writable(str(item.path.absolute()))
    return item.modality, path, told_of(item.value)
