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
from textanchor.labelling.pool import Features, Probabilities
from textanchor.labelling.project import arrays
from textanchor.labelling.project.naming import Anchored
from textanchor.records import Item, Skipped

FILLED = "filled"  # how often
SIGHT, PRESENT, VECTORS, BY_NAMES, PROPOSED = "sight ", "present ", "vectors", "by names", "probabilities"


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
    by_names: Probabilities | None = None
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


def keep_names(database: Database, held: Anchored, probabilities: Probabilities | None) -> None:
    """What the classes' names say of the items, or no more of it."""
    if probabilities is None:
        arrays.drop(database, BY_NAMES)
    else:
        arrays.keep(database, BY_NAMES, probabilities, "f4")
    arrays.keep(database, VECTORS, held.vectors, "f2")


def _keep_arrays(database: Database, filled: Filled) -> None:
    for prefix in (SIGHT, PRESENT, VECTORS, BY_NAMES, PROPOSED):
        for name in arrays.names(database, prefix):
            arrays.drop(database, name)
    for place, one in enumerate(filled.features):
        arrays.keep(database, f"{SIGHT}{place} {one.name}", one.values, "f2")
        arrays.keep(database, f"{PRESENT}{place}", one.present[:, None].astype(np.uint8), "u1")
    if filled.by_names is not None:
        arrays.keep(database, BY_NAMES, filled.by_names, "f4")
    if filled.anchored is not None:
        arrays.keep(database, VECTORS, filled.anchored.vectors, "f2")


def _told(item: Item) -> tuple[str, str | None, str | None]:
    path = None if item.path is None else writable(str(item.path.absolute()))
    return item.modality, path, told_of(item.value)
