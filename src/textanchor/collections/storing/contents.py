"""What a collection says of itself: its items one by one, and its figures."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from textanchor.collections.asking.filters import Filter
from textanchor.collections.storing.catalogue import Catalogue
from textanchor.collections.storing.galleries import GALLERIES
from textanchor.collections.storing.snapshot import INDEXES
from textanchor.records.items import Field

PAGE = 1000


@dataclass(frozen=True, kw_only=True)
class Listed:
    """An item as the catalogue has it; `reason` says why it has no vector."""

    id: str
    modality: str
    place: str
    fields: Mapping[str, Field]
    content: str | None = None
    reason: str | None = None


@dataclass(frozen=True, kw_only=True)
class HeldVectors:
    """Vectors of one modality in one space: how many items they are of, how many of these are mapped from another space, and
    bytes on disk, with what counts no longer."""

    modality: str
    fingerprint: str
    items: int
    mapped: int
    size: int


@dataclass(frozen=True, kw_only=True)
class Facts:
    """Items by modality, skipped ones, vectors, bytes of what was derived from them, what searches, and the last space."""

    items: Mapping[str, int]
    skipped: int
    places: tuple[str, ...]
    vectors: tuple[HeldVectors, ...]
    derived: int
    backend: str
    space: str


def items_of(catalogue: Catalogue, where: Filter | None, *, skipped: bool) -> Iterator[Listed]:
    """In the order in which they came, a thousand at a time."""
    condition, values = where.sql() if where else ("1", [])
    last = 0
    while True:
        told = catalogue.ask(
            "SELECT row, id, modality, place, fields, content, reason FROM items JOIN sources USING (source) "
            f"WHERE row > ? AND ({condition}) AND reason IS {'NOT' if skipped else ''} NULL ORDER BY row LIMIT ?",
            last,
            *values,
            PAGE,
        )
        for row, name, modality, place, fields, content, reason in told:
            last = row
            listed = json.loads(fields)
            yield Listed(id=name, modality=modality, place=place, fields=listed, content=content, reason=reason)
        if len(told) < PAGE:
            return


def facts_of(catalogue: Catalogue, backend: str, space: str) -> Facts:
    """All figures, of one state."""
    with catalogue.reading():
        counts = catalogue.ask("SELECT modality, count(*) FROM items WHERE reason IS NULL GROUP BY modality ORDER BY modality")
        (skipped,) = catalogue.ask("SELECT count(*) FROM items WHERE reason IS NOT NULL")[0]
        places = tuple(place for (place,) in catalogue.ask("SELECT place FROM sources ORDER BY source"))
        counted = "SELECT count(*), coalesce(sum(mapped), 0) FROM vectors WHERE store = ?"
        stores = [(store, *catalogue.ask(counted, store.store)[0]) for store in catalogue.stores()]
    kept = tuple(
        HeldVectors(
            modality=store.modality,
            fingerprint=store.fingerprint,
            items=items,
            mapped=mapped,
            size=store.rows * store.dim * 4,
        )
        for store, items, mapped in stores
    )
    files = (file for kind in (GALLERIES, INDEXES) for file in (catalogue.folder / kind).glob("*") if file.is_file())
    return Facts(
        items=dict(counts),
        skipped=skipped,
        places=places,
        vectors=kept,
        derived=sum(file.stat().st_size for file in files),
        backend=backend,
        space=space,
    )
