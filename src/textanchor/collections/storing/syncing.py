"""Bringing a collection to what a place holds now: what is new or changed is encoded, what is gone is taken out.

Everything is one transaction: until it is committed, readers see the old state, and a crash leaves it. Encoded latents are
in the cache by then, so that the next attempt goes on where this one stopped.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path

from textanchor.collections.storing.catalogue import Catalogue, Entry, Stamp, VectorStore, written
from textanchor.collections.storing.vector_files import BLOCK, Appending, checksums
from textanchor.collections.streaming import within
from textanchor.collections.surveying import Survey
from textanchor.collections.taking import own_modality
from textanchor.data.held import container, told_of
from textanchor.escaping import writable
from textanchor.latents.shards import stamp
from textanchor.progress import Bar
from textanchor.records import Item, Skipped
from textanchor.runtime import Runtime
from textanchor.space import Space
from textanchor.space.embedded import Embedded
from textanchor.space.storage import vector_fingerprint

_LISTED = "cannot be listed"


@dataclass(frozen=True, kw_only=True)
class SyncReport:
    """What became of the items of a place: `seen` = `indexed` + `unchanged` + `skipped` + `removed`.

    Of those indexed `new` were not there before and `changed` were another content. `left_out` says why each was skipped.
    """

    place: str
    new: int = 0
    changed: int = 0
    unchanged: int = 0
    skipped: int = 0
    removed: int = 0
    left_out: tuple[Skipped, ...] = ()

    @property
    def indexed(self) -> int:
        """New and changed ones."""
        return self.new + self.changed

    @property
    def seen(self) -> int:
        """All that were there, now or before."""
        return self.indexed + self.unchanged + self.skipped + self.removed


@dataclass(kw_only=True)
class Syncing:
    """One place's items against what the catalogue knows of them; within a transaction, by one writer at a time."""

    catalogue: Catalogue
    space: Space
    source: int
    runtime: Runtime
    removes: bool = True
    _counts: Counter[str] = field(default_factory=Counter)
    _left_out: list[Skipped] = field(default_factory=list)
    _stores: dict[str, VectorStore] = field(default_factory=dict)
    _open: dict[str, Appending] = field(default_factory=dict)
    _containers: dict[Path, Stamp] = field(default_factory=dict)

    def run(self, place: str, survey: Survey) -> SyncReport:
        """Raises `ItemError` where the runtime is strict; whatever is raised, nothing has changed."""
        self.catalogue.ask("CREATE TEMP TABLE IF NOT EXISTS met (row INTEGER PRIMARY KEY)")
        self.catalogue.ask("DELETE FROM temp.met")
        self._skip_strays(survey.skipped)
        with ExitStack() as files, self.runtime.progress.bar("sync", total=sum(survey.counts.values())) as bar:
            files.callback(self._abandon)
            for batch in survey.batches():
                self._take(batch, bar)
            if self.removes:
                self._remove_the_rest(survey.skipped)
            self._settle()
        names = ("new", "changed", "unchanged", "skipped", "removed")
        return SyncReport(place=place, left_out=tuple(self._left_out), **{name: self._counts[name] for name in names})

    def _take(self, batch: Sequence[Item], bar: Bar) -> None:
        modality = own_modality(self.space, batch[0].modality)
        store = self._store(modality) if modality else None
        known = self.catalogue.entries(
            self.source, [item.id for item in batch], {modality: store} if store and modality else {}
        )
        rest: list[Item] = []
        names: set[str] = set()
        for item in batch:
            if item.id in names:  # such as a file's name that is no UTF-8, and one that looks like its escape
                self._skip_strays([Skipped(item=item.id, reason="another item has the same name")])
            elif modality is None:
                reason = f"the space has no modality '{item.modality}'"
                self._leave_out(item, known.get(item.id), reason, Stamp(), tried=None)
            elif not self._is_as_it_was(item, known.get(item.id), store):
                rest.append(item)
            names.add(item.id)
        bar.advance(len(batch) - len(rest))
        if rest and modality:
            told = [replace(item, modality=modality) for item in rest]
            taken = {item.id: (item, self._stamp(item)) for item in told}  # stamps of before they are read
            for chunk in self.space.stream(told, modality, total=len(told), runtime=within(self.runtime, bar)):
                self._keep(chunk, modality, known, taken)
        bar.note(new=self._counts["new"], changed=self._counts["changed"], skipped=self._counts["skipped"])

    def _is_as_it_was(self, item: Item, entry: Entry | None, store: VectorStore | None) -> bool:
        """Whether nothing is to be done: the stamp is the same, and its vector is there or it could not be read then either."""
        if entry is None or store is None or entry.modality != store.modality:
            return False
        done = entry.slot is not None or (entry.reason is not None and entry.tried == store.fingerprint)
        same = told_of(item.value) == entry.held if isinstance(item.value, str) else self._is_untouched(item, entry)
        if not done or not same:
            return False
        if entry.reason is not None and entry.slot is None:
            self._leave_out(item, entry, entry.reason, entry.stamp, tried=entry.tried)
            return True
        held, fields = told_of(item.value), written(item.fields)
        if (held, fields) != (entry.held, entry.fields):
            self.catalogue.ask("UPDATE items SET held = ?, fields = ? WHERE row = ?", held, fields, entry.row)
        self._meet(entry.row, "unchanged")
        return True

    def _is_untouched(self, item: Item, entry: Entry) -> bool:
        return entry.path == _path(item) and entry.stamp.changed is not None and entry.stamp == self._stamp(item)

    def _keep(
        self, chunk: Embedded, modality: str, known: Mapping[str, Entry], taken: Mapping[str, tuple[Item, Stamp]]
    ) -> None:
        store = self._store(modality, dim=self.space.dim)
        assert store is not None
        for skipped in chunk.skipped:
            item, told = taken[skipped.item]
            self._leave_out(item, known.get(skipped.item), skipped.reason, told, tried=store.fingerprint)
        fresh = []
        for place, (item, content) in enumerate(zip(chunk.items, chunk.contents, strict=True)):
            entry = known.get(item.id)
            told = taken[item.id][1]
            row = self._written(item, entry, (told.size, told.changed, content, None, None))
            if entry is not None and entry.content == content and entry.slot is not None and entry.modality == modality:
                self._meet(row, "unchanged")
                continue
            self._meet(row, _became(entry, content))
            fresh.append((place, row))
        if fresh:
            slots = self._appending(store).add(chunk.vectors[[place for place, _ in fresh]])
            for slot, (_, row) in zip(slots, fresh, strict=True):
                self.catalogue.ask("DELETE FROM vectors WHERE row = ? AND store = ?", row, store.store)
                self.catalogue.ask("INSERT INTO vectors (store, slot, row) VALUES (?, ?, ?)", store.store, slot, row)

    def _leave_out(self, item: Item, entry: Entry | None, reason: str, told: Stamp, *, tried: str | None) -> None:
        self._meet(self._written(item, entry, (told.size, told.changed, None, reason, tried)), "skipped")
        self._left_out.append(Skipped(item=item.id, reason=reason))

    def _written(self, item: Item, entry: Entry | None, values: tuple[object, ...]) -> int:
        """A vector of another content, or of what cannot be read any more, counts no longer."""
        told = (item.modality, _path(item), told_of(item.value), written(item.fields), *values)
        if entry is None:
            return int(self.catalogue.ask(f"{_INSERT} RETURNING row", self.source, item.id, *told)[0][0])
        self.catalogue.ask(_UPDATE, *told, entry.row)
        if told[_COLUMNS.index("content")] != entry.content:
            self.catalogue.ask("DELETE FROM vectors WHERE row = ?", entry.row)
        return entry.row

    def _skip_strays(self, skipped: Sequence[Skipped]) -> None:
        """What is no item is counted and said, and not remembered."""
        self._counts["skipped"] += len(skipped)
        self._left_out += skipped

    def _meet(self, row: int, what: str) -> None:
        self._counts[what] += 1
        self.catalogue.ask("INSERT OR IGNORE INTO temp.met VALUES (?)", row)

    def _remove_the_rest(self, skipped: Sequence[Skipped]) -> None:
        """What was not met is gone, unless it lies in a folder that could not be listed."""
        hidden = [one.item.rstrip("/") + "/" for one in skipped if one.reason.startswith(_LISTED)]
        for row, name in self.catalogue.ask(
            "SELECT row, id FROM items WHERE source = ? AND row NOT IN (SELECT row FROM temp.met)", self.source
        ):
            if any(name.startswith(folder) for folder in hidden):
                self._counts["unchanged"] += 1
                continue
            self.catalogue.drop("row = ?", row)
            self._counts["removed"] += 1

    def _store(self, modality: str, *, dim: int | None = None) -> VectorStore | None:
        if modality not in self._stores:
            found = self.catalogue.store(vector_fingerprint(self.space, modality), modality, dim=dim)
            if found is None:
                return None
            self._stores[modality] = found
        return self._stores[modality]

    def _appending(self, store: VectorStore) -> Appending:
        if store.modality not in self._open:
            self._open[store.modality] = self.catalogue.appending(store)
        return self._open[store.modality]

    def _settle(self) -> None:
        """Put vectors on disk and count them, with their checksums."""
        for modality, appending in self._open.items():
            appending.close()
            settle(self.catalogue, self._stores[modality], appending.rows)

    def _abandon(self) -> None:
        for appending in self._open.values():
            appending.abandon()

    def _stamp(self, item: Item) -> Stamp:
        """A file's, or that of the file in which it lies; of what lies in memory there is none."""
        file = item.path or container(item.value)
        if file is None:
            return Stamp()
        if item.path is None:
            if file not in self._containers:
                self._containers[file] = _stamp_of(file)
            return self._containers[file]
        return _stamp_of(file)


_COLUMNS = ("modality", "path", "held", "fields", "size", "changed", "content", "reason", "tried")
_INSERT = f"INSERT INTO items (source, id, {', '.join(_COLUMNS)}) VALUES ({', '.join('?' * (len(_COLUMNS) + 2))})"
_UPDATE = f"UPDATE items SET {', '.join(f'{name} = ?' for name in _COLUMNS)} WHERE row = ?"


def settle(catalogue: Catalogue, store: VectorStore, rows: int) -> None:
    """Let the first `rows` of a store count."""
    vectors = catalogue.vectors(replace(store, rows=rows))
    catalogue.ask("DELETE FROM blocks WHERE store = ? AND block >= ?", store.store, store.rows // BLOCK)
    for block, sha256 in checksums(vectors, first=store.rows):
        catalogue.ask("INSERT INTO blocks VALUES (?, ?, ?)", store.store, block, sha256)
    catalogue.ask("UPDATE stores SET rows = ? WHERE store = ?", rows, store.store)


def _path(item: Item) -> str | None:
    return None if item.path is None else writable(str(item.path.absolute()))


def _became(entry: Entry | None, content: str) -> str:
    if entry is None or entry.content is None:
        return "new"
    return "unchanged" if entry.content == content else "changed"


def _stamp_of(file: Path) -> Stamp:
    """Without a time where a change from now on might not show in it."""
    try:
        told = stamp(file)
    except OSError:
        return Stamp()
    return Stamp(size=told.size, changed=told.changed if told.settled else None)
