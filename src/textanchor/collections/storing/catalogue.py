"""What a collection's file says, in the words of the library: items, their vectors' places, and transactions."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from jaxtyping import Int

from textanchor.collections.storing.schema import NAME, connected
from textanchor.collections.storing.vector_files import Appending, mapped
from textanchor.data.held import found_again, held_as
from textanchor.database import CHUNK, marks
from textanchor.escaping import legible
from textanchor.records import Item, Vectors
from textanchor.records.items import Field

VECTORS = "vectors"  # the folder of stores
FILES = "files"  # how many files of vectors were begun


@dataclass(frozen=True, kw_only=True)
class Stamp:
    """What shows that a file has changed; `changed` is None where a change might not show, so that it is read again."""

    size: int | None = None
    changed: int | None = None


@dataclass(frozen=True, kw_only=True)
class Entry:
    """What is known of an item: its row, stamp, content and, if it was left out, why and by which encoder."""

    row: int
    modality: str
    path: str | None
    stamp: Stamp
    content: str | None
    reason: str | None
    tried: str | None
    held: str | None
    fields: str
    slot: int | None


@dataclass(frozen=True, kw_only=True)
class VectorStore:
    """A file of vectors of one fingerprint and modality; `rows` of it count."""

    store: int
    fingerprint: str
    modality: str
    dim: int
    file: str
    rows: int


class Catalogue:
    """A collection's file, used by one thread at a time. Raises what `connected` raises."""

    def __init__(self, folder: Path, *, create: bool = False) -> None:
        if create:
            folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        file = connected(folder / NAME, create=create)
        self.close, self.ask, self._one, self.fact, self.note = file.close, file.ask, file.one, file.fact, file.note
        self.writing, self.reading = file.writing, file.reading
        self._file = file

    @property
    def state(self) -> tuple[int, int]:
        """Other numbers when another connection has committed, or this one has changed anything."""
        return self._file.state

    def source(self, place: str, reading: str) -> int:
        """The number of a place, which is now read so."""
        self.ask(
            "INSERT INTO sources (place, reading) VALUES (?, ?) ON CONFLICT (place) DO UPDATE SET reading = excluded.reading",
            place,
            reading,
        )
        return int(self._one("SELECT source FROM sources WHERE place = ?", place))

    def entries(self, source: int, ids: Sequence[str], stores: Mapping[str, VectorStore]) -> dict[str, Entry]:
        """What is known of some items of a source, by id; slots are those of the given stores by modality, and of no
        mapped vector."""
        numbers = [store.store for store in stores.values()] or [-1]
        found: dict[str, Entry] = {}
        for start in range(0, len(ids), CHUNK):
            some = ids[start : start + CHUNK]
            told = self.ask(
                "SELECT id, items.row, modality, path, size, changed, content, reason, tried, held, fields, slot FROM items "
                f"LEFT JOIN vectors ON vectors.row = items.row AND mapped = 0 AND store IN ({marks(numbers)}) "
                f"WHERE source = ? AND id IN ({marks(some)})",
                *numbers,
                source,
                *some,
            )
            for name, row, modality, path, size, changed, content, reason, tried, held, fields, slot in told:
                found[name] = Entry(
                    row=row,
                    modality=modality,
                    path=path,
                    stamp=Stamp(size=size, changed=changed),
                    content=content,
                    reason=reason,
                    tried=tried,
                    held=held,
                    fields=fields,
                    slot=slot,
                )
        return found

    def store(self, fingerprint: str, modality: str, *, dim: int | None = None) -> VectorStore | None:
        """The store of a fingerprint; with `dim` it is begun where there is none."""
        found = self.stores("fingerprint = ? AND modality = ?", fingerprint, modality)
        if not found and dim is not None:
            begun = "INSERT INTO stores (fingerprint, modality, dim, file) VALUES (?, ?, ?, ?)"
            self.ask(begun, fingerprint, modality, dim, self.new_file(fingerprint, modality))
            found = self.stores("fingerprint = ? AND modality = ?", fingerprint, modality)
        return found[0] if found else None

    def new_file(self, fingerprint: str, modality: str) -> str:
        """A name that no file of vectors had before, so that nothing derived from another is taken for its own."""
        number = int(self.fact(FILES, "0")) + 1
        self.note(FILES, str(number))
        return f"{modality}-{fingerprint[:16]}+{number}.f32"

    def stores(self, where: str = "1", *values: object) -> tuple[VectorStore, ...]:
        """The stores of a condition."""
        told = self.ask(f"SELECT store, fingerprint, modality, dim, file, rows FROM stores WHERE {where}", *values)
        names = ("store", "fingerprint", "modality", "dim", "file", "rows")
        return tuple(VectorStore(**dict(zip(names, row, strict=True))) for row in told)

    def begun_anew(self, store: VectorStore) -> VectorStore:
        """The store with an empty file of a new name: readers may have the old one open."""
        name = self.new_file(store.fingerprint, store.modality)
        self.ask("UPDATE stores SET file = ?, rows = 0 WHERE store = ?", name, store.store)
        self.ask("DELETE FROM blocks WHERE store = ?", store.store)
        return replace(store, file=name, rows=0)

    def file(self, store: VectorStore) -> Path:
        """Where a store's vectors lie."""
        return self.folder / VECTORS / store.file

    def vectors(self, store: VectorStore) -> Vectors:
        """The raw vectors that count, mapped. *Shape:* [rows, dim]. Raises `DamagedError`."""
        return mapped(self.file(store), store.rows, store.dim)

    def appending(self, store: VectorStore) -> Appending:
        """What adds rows to it; they count when it is settled."""
        return Appending(self.file(store), rows=store.rows, dim=store.dim)

    def drop(self, where: str, *values: object) -> None:
        """Delete items of a condition, with their vectors."""
        self.ask(f"DELETE FROM vectors WHERE row IN (SELECT row FROM items WHERE {where})", *values)
        self.ask(f"DELETE FROM items WHERE {where}", *values)

    def slots(self, store: VectorStore, where: str = "", *values: object) -> Int[np.ndarray, " n"]:
        """Places of the vectors that count, in order; `where` is a condition on the table `items`."""
        joined = f"JOIN items USING (row) WHERE store = ? AND ({where})" if where else "WHERE store = ?"
        told = self.ask(f"SELECT slot FROM vectors {joined} ORDER BY slot", store.store, *values)
        return np.fromiter((slot for (slot,) in told), dtype=np.int64, count=len(told))

    def items(self, store: VectorStore, slots: Sequence[int]) -> dict[int, Item]:
        """The items whose vectors stand at some places of a file that is still in use."""
        found: dict[int, Item] = {}
        several = self._one("SELECT count(*) FROM sources") > 1
        for start in range(0, len(slots), CHUNK):
            some = slots[start : start + CHUNK]
            told = self.ask(
                "SELECT slot, id, modality, path, held, fields, place FROM vectors JOIN items USING (row) "
                "JOIN sources USING (source) "
                f"WHERE store = (SELECT store FROM stores WHERE file = ?) AND slot IN ({marks(some)})",
                store.file,
                *some,
            )
            for slot, name, modality, path, held, fields, place in told:
                found[slot] = _item(f"{place}/{name}" if several else name, modality, path, held, fields)
        return found

    def everything(self) -> Iterator[tuple[Item, str]]:
        """All items that can be read, in the order in which they came, and their contents."""
        several = self._one("SELECT count(*) FROM sources") > 1
        for name, modality, path, held, fields, place, content in self.ask(
            "SELECT id, modality, path, held, fields, place, content FROM items JOIN sources USING (source) "
            "WHERE reason IS NULL ORDER BY row"
        ):
            yield _item(f"{place}/{name}" if several else name, modality, path, held, fields), content

    def content(self, store: VectorStore, slot: int) -> str:
        """The hash of the content of the item whose vector stands there."""
        joined = "SELECT content FROM vectors JOIN items USING (row) WHERE store = ? AND slot = ?"
        return "".join(content for (content,) in self.ask(joined, store.store, slot))


def written(fields: Mapping[str, Field]) -> str:
    """Fields as JSON."""
    return legible(json.dumps(dict(fields), ensure_ascii=False, allow_nan=False)) if fields else "{}"


def _item(name: str, modality: str, path: str | None, held: str | None, fields: str) -> Item:
    return Item(
        id=name,
        modality=modality,
        path=None if path is None else found_again(path),
        value=None if held is None else held_as(held),
        fields=json.loads(fields),
    )
