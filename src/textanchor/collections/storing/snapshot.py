"""A collection as it stood at one moment, as an index searches it."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np
from filelock import FileLock, Timeout

from textanchor.collections.asking.filters import Filter
from textanchor.collections.backends.exact import Exact
from textanchor.collections.backends.protocol import Backend, Rows, make_backend
from textanchor.collections.storing.catalogue import Catalogue
from textanchor.collections.storing.galleries import PATIENCE, gallery, gallery_file
from textanchor.errors import DamagedError, InputError
from textanchor.files import digest, read_json, write_json
from textanchor.records import Item, Skipped, Vectors
from textanchor.space import TEXT, Comparison, Space
from textanchor.space.storage import vector_fingerprint

INDEXES = "indexes"


class OutdatedError(InputError):
    """A collection has changed so that an index of before is of no use."""


class Snapshot:
    """The vectors that a collection holds of a space now; what is added later is not seen.

    Raises `InputError` if it holds none of this space.
    """

    def __init__(self, catalogue: Catalogue, space: Space) -> None:
        self._catalogue = catalogue
        with catalogue.reading():
            wanted = {kind: vector_fingerprint(space, kind) for kind in (TEXT, *space.kinds)}
            found = {store.modality: store for store in catalogue.stores() if wanted.get(store.modality) == store.fingerprint}
            slots = {kind: catalogue.slots(store) for kind, store in found.items()}
            full = {kind: store for kind, store in found.items() if len(slots[kind])}
            self._raw = {kind: catalogue.vectors(store) for kind, store in full.items()}
            self.missing = _missing(catalogue, tuple(store.store for store in full.values()))
        self._stores = {kind: found[kind] for kind in self._raw}
        self._slots = {kind: slots[kind] for kind in self._raw}
        if not self._stores:
            why = "its vectors are of another space" if catalogue.stores() else "it holds nothing yet"
            advice = f"textanchor collection sync {catalogue.folder} --space SPACE"
            raise InputError(f"{catalogue.folder}: {why}; bring it up to date: {advice}")

    @property
    def modalities(self) -> tuple[str, ...]:
        """Those of which there is an item."""
        return tuple(self._stores)

    def count(self, modality: str) -> int:
        """Items that can be found."""
        return len(self._slots[modality])

    def raw(self, modality: str) -> Vectors:
        """Raw vectors, a row a place; of an empty place what stood there last."""
        return self._raw[modality]

    def items(self, modality: str, places: Sequence[int]) -> list[Item]:
        """The items at some places. Raises `OutdatedError` for one that was taken out since."""
        found = self._catalogue.items(self._stores[modality], [int(place) for place in places])
        if any(int(place) not in found for place in places):
            raise OutdatedError(f"{self._catalogue.folder} was changed since this index was made; make it anew: index(space)")
        return [found[int(place)] for place in places]

    def find(self, name: str) -> tuple[tuple[str, int], ...]:
        """By its own name, or with its place before it."""
        named = "id = ? OR (SELECT place FROM sources WHERE source = items.source) || '/' || id = ?"
        told = {kind: self._catalogue.slots(store, named, name, name) for kind, store in self._stores.items()}
        return tuple((kind, int(slot)) for kind, slots in told.items() for slot in slots)

    def content(self, modality: str, place: int) -> str:
        """The hash of an item's content."""
        return self._catalogue.content(self._stores[modality], place)

    def places(self, modality: str, where: Filter) -> Rows:
        """Where items stand that pass a filter."""
        condition, values = where.sql()
        return self._catalogue.slots(self._stores[modality], condition, *values)

    @property
    def fields(self) -> frozenset[str]:
        """Of any item that the collection holds now."""
        return frozenset(name for (name,) in self._catalogue.ask("SELECT DISTINCT key FROM items, json_each(items.fields)"))

    def filled(self, modality: str) -> Rows:
        """All places that are not empty."""
        return self._slots[modality]

    def among(self, modality: str, rows: Rows) -> Rows:
        """Raises `InputError`: a collection's items have no rows that stay."""
        raise InputError("in a collection, say among which items to search by a filter (where), not by rows (allowed)")

    def gallery(self, comparison: Comparison) -> Vectors:
        """From the gallery's file."""
        file = gallery_file(self._catalogue.folder, self._stores[comparison.asked].file, comparison)
        return gallery(file, self._raw[comparison.asked], comparison)

    def backend(self, comparison: Comparison, spec: str) -> Backend:
        """The exact one maps the gallery's file; any other takes its saved state and is told what is new or gone."""
        file = gallery_file(self._catalogue.folder, self._stores[comparison.asked].file, comparison)
        vectors = self.gallery(comparison)
        found = make_backend(spec)
        if isinstance(found, Exact):
            found.build(vectors)
        else:
            self._restore(found, self._catalogue.folder / INDEXES / f"{file.stem}-{digest(spec)[:12]}.index", vectors)
        found.remove(self._empty(comparison.asked))
        return found

    def _restore(self, backend: Backend, file: Path, vectors: Vectors) -> None:
        """Take what was saved and add what came since, or build it anew; and save it."""
        known, told = 0, file.with_suffix(".json")
        with suppress(DamagedError, TypeError, KeyError, FileNotFoundError):
            rows = int(read_json(told)["rows"])
            backend.load(file)
            known = rows if len(backend) <= rows else 0  # else it was saved after what is told of it
        if known != len(vectors):
            with suppress(OSError):
                told.unlink(missing_ok=True)  # until both are saved, neither is to be trusted
        if not 0 < known <= len(vectors):
            backend.build(np.ascontiguousarray(vectors))
        elif known < len(vectors):
            backend.add(np.ascontiguousarray(vectors[known:]))
        if known != len(vectors):
            with suppress(OSError, Timeout, InputError):  # it is of use without being kept
                file.parent.mkdir(parents=True, exist_ok=True)
                with FileLock(file.with_suffix(".lock"), timeout=PATIENCE):
                    backend.save(file)
                    write_json(told, {"rows": len(vectors)})

    def _empty(self, modality: str) -> Rows:
        used = np.zeros(len(self._raw[modality]), dtype=bool)
        used[self._slots[modality]] = True
        return np.flatnonzero(~used)


def _missing(catalogue: Catalogue, stores: Sequence[int]) -> tuple[Skipped, ...]:
    """Items that could be read, and have no vector of this space."""
    own = ", ".join(map(str, stores)) or "-1"
    told = catalogue.ask(
        "SELECT modality, count(*) FROM items WHERE reason IS NULL "
        f"AND row NOT IN (SELECT row FROM vectors WHERE store IN ({own})) GROUP BY modality"
    )
    reason = "not encoded in this space yet; textanchor collection sync"
    return tuple(Skipped(item=f"{count} {modality} items", reason=reason) for modality, count in told)
