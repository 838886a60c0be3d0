"""Whether a collection's vectors are what was written, and taking out what is not, so that the next sync encodes it again."""

from __future__ import annotations

import shutil
from dataclasses import dataclass

from textanchor.collections.storing.catalogue import Catalogue, VectorStore
from textanchor.collections.storing.galleries import GALLERIES, spoilt
from textanchor.collections.storing.snapshot import INDEXES
from textanchor.collections.storing.vector_files import BLOCK, checksums
from textanchor.errors import DamagedError


@dataclass(frozen=True, kw_only=True)
class Damage:
    """A stretch of a file of vectors that is not what was written: its rows, and how many items stand there."""

    file: str
    first: int
    last: int
    items: int
    reason: str


def damages(catalogue: Catalogue) -> tuple[Damage, ...]:
    """Every stretch that is damaged, by hashing all vectors. Raises `DamagedError` if the catalogue itself is."""
    told = catalogue.ask("PRAGMA integrity_check")
    if told != [("ok",)]:
        raise DamagedError(f"{catalogue.folder}: its catalogue is damaged ({told[0][0]}); restore it, or make it anew")
    found = [damage for store in catalogue.stores() for damage in _damages(catalogue, store)]
    for file, rows in spoilt(catalogue.folder):
        name = f"{GALLERIES}/{file.name}"
        found.append(Damage(file=name, first=0, last=rows - 1, items=0, reason="its sha256 differs; it is made anew"))
    return tuple(found)


def take_out(catalogue: Catalogue, found: tuple[Damage, ...]) -> None:
    """Let no damaged row count, and forget what was derived; within a transaction."""
    for damage in found:
        if damage.file.startswith(GALLERIES):
            continue
        (store,) = catalogue.stores("file = ?", damage.file)
        catalogue.ask("DELETE FROM vectors WHERE store = ? AND slot BETWEEN ? AND ?", store.store, damage.first, damage.last)
        left = catalogue.ask("SELECT count(*) FROM vectors WHERE store = ?", store.store)[0][0]
        if not left:
            catalogue.begun_anew(store)
            continue
        for block, sha256 in checksums(catalogue.vectors(store)):
            catalogue.ask("UPDATE blocks SET sha256 = ? WHERE store = ? AND block = ?", sha256, store.store, block)
    for derived in (GALLERIES, INDEXES):
        shutil.rmtree(catalogue.folder / derived, ignore_errors=True)


def _damages(catalogue: Catalogue, store: VectorStore) -> list[Damage]:
    expected = dict(catalogue.ask("SELECT block, sha256 FROM blocks WHERE store = ?", store.store))
    try:
        vectors = catalogue.vectors(store)
    except DamagedError as why:
        return [_damage(catalogue, store, 0, store.rows - 1, str(why).partition(";")[0])]
    wrong = [block for block, sha256 in checksums(vectors) if expected.get(block) != sha256]
    return [
        _damage(catalogue, store, block * BLOCK, min((block + 1) * BLOCK, store.rows) - 1, "its sha256 differs")
        for block in wrong
    ]


def _damage(catalogue: Catalogue, store: VectorStore, first: int, last: int, reason: str) -> Damage:
    items = catalogue.ask("SELECT count(*) FROM vectors WHERE store = ? AND slot BETWEEN ? AND ?", store.store, first, last)
    return Damage(file=store.file, first=first, last=last, items=items[0][0], reason=reason)
