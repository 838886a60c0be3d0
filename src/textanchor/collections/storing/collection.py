"""A collection that stays: a folder with a catalogue and the vectors of its items, brought up to date by what changed.

collection.sqlite       items, fields, what was left out and why; places and how they are read
vectors/                raw vectors, a file a fingerprint and modality
galleries/ indexes/     derived from these, made anew where they are missing
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

from filelock import FileLock, Timeout

from textanchor.collections.asking.filters import Filter, parse_filter
from textanchor.collections.backends.protocol import make_backend
from textanchor.collections.index import EXACT, Index
from textanchor.collections.storing.catalogue import Catalogue
from textanchor.collections.storing.contents import Facts, Listed, facts_of, items_of
from textanchor.collections.storing.schema import NAME
from textanchor.collections.storing.shrinking import shrink, sweep
from textanchor.collections.storing.snapshot import Snapshot
from textanchor.collections.storing.surveyed import MEMORY, surveyed
from textanchor.collections.storing.syncing import Syncing, SyncReport
from textanchor.collections.storing.verifying import Damage, damages, take_out
from textanchor.errors import DamagedError, InputError
from textanchor.escaping import writable, written_back
from textanchor.files import located
from textanchor.runtime import Reading, Runtime, Simple, settled
from textanchor.space import TEXT, Space
from textanchor.space.storage import vector_fingerprint

if TYPE_CHECKING:
    from textanchor.collections.storing.upgrading import Upgrade

INDEX, SPACE = "index", "space"


class Collection:
    """Items of folders, tables, archives and single files, with their vectors in spaces.

    Several threads and processes may read it while one changes it: readers see the old state or the new one. Whoever changes
    it waits for nobody: a second writer gets an `InputError`.
    """

    def __init__(self, folder: str | Path, *, create: bool = False) -> None:
        """Open a folder, or with `create` begin one. Raises `InputError` if it is none, `DamagedError` if it is damaged."""
        self.folder = located(folder)
        others = create and self.folder.exists() and any(self.folder.iterdir())
        if others and not (self.folder / NAME).is_file():  # looked for afterwards: somebody else may be beginning it
            raise InputError(f"{self.folder} exists and is no collection; name another folder")
        self.catalogue = Catalogue(self.folder, create=create)
        self._indexes: dict[tuple[str, str], tuple[tuple[int, int], Index]] = {}

    def __repr__(self) -> str:
        counts = ", ".join(f"{count} {modality}" for modality, count in self.counts.items())
        return f"Collection({self.folder.name}: {counts or 'empty'})"

    @property
    def counts(self) -> dict[str, int]:
        """How many items of each modality have a vector."""
        asked = (
            "SELECT modality, count(*) FROM items WHERE row IN (SELECT row FROM vectors) GROUP BY modality ORDER BY modality"
        )
        return dict(self.catalogue.ask(asked))

    def items(self, where: Filter | str | None = None, *, skipped: bool = False) -> Iterator[Listed]:
        """Its items that pass a filter, or with `skipped` those that were left out, with the reason."""
        return items_of(self.catalogue, parse_filter(where) if isinstance(where, str) else where, skipped=skipped)

    @property
    def facts(self) -> Facts:
        """How much of what it holds."""
        return facts_of(self.catalogue, self.backend, self.space)

    @property
    def space(self) -> str:
        """The folder of the space that it was last brought up to date with, if that was loaded from one; else ""."""
        return self.catalogue.fact(SPACE)

    @property
    def places(self) -> dict[str, Reading]:
        """Folders, tables, archives and files that it follows, and how each is read."""
        told = self.catalogue.ask("SELECT place, reading FROM sources WHERE place != ? ORDER BY source", MEMORY)
        return {place: _reading(reading) for place, reading in told}

    def add(
        self,
        space: Space,
        *given: Any,
        reading: Reading | None = None,
        runtime: Runtime | None = None,
        **simple: Unpack[Simple],
    ) -> tuple[SyncReport, ...]:
        """Follow places from now on, or take items that Python holds (see `Space.embed`), and encode them.

        Raises `InputError` for a place that is not there, `NothingUsableError` if it holds no item; then nothing is added.
        """
        how = settled(runtime or space.runtime, simple)
        told = reading or Reading()
        with self._changing():
            return tuple(self._synced(space, one, told, how) for one in given)

    def sync(
        self, space: Space, *, only: Sequence[str | Path] = (), runtime: Runtime | None = None, **simple: Unpack[Simple]
    ) -> tuple[SyncReport, ...]:
        """Bring it to what its places, or only some of them, hold now: a report a place.

        Only files whose size or time stamp moved are read. Each place is one step: until it is done, everybody sees what was
        there before. Raises `InputError` for a place that is gone (`remove` takes its items out), or that it does not follow.
        """
        how = settled(runtime or space.runtime, simple)
        known = self.places
        wanted = [writable(str(located(place).absolute())) for place in only] or list(known)
        if missing := [place for place in wanted if place not in known]:
            raise InputError(f"{self.folder} does not follow {missing[0]}; add it: textanchor collection add")
        with self._changing():
            return tuple(self._synced(space, Path(written_back(place)), known[place], how) for place in wanted)

    def upgrade(
        self,
        space: Space,
        *,
        items: int = 1000,
        recall: float = 0.8,
        seed: int = 0,
        runtime: Runtime | None = None,
        **simple: Unpack[Simple],
    ) -> tuple[Upgrade, ...]:
        """Move to another encoder or space: `items` of each modality are encoded anew, the others' vectors are mapped.

        From then on it can be searched in the new space, and every `sync` with it encodes what is mapped still; the old
        vectors stay until `forget`. Raises `InputError` if the map keeps less than the share `recall` of the ten best hits of
        held-out queries, or there is nothing to move; then nothing is changed.
        """
        from textanchor.collections.storing.upgrading import Upgrading

        how = settled(runtime or space.runtime, simple)
        with self._changing(), self.catalogue.writing():
            moving = Upgrading(catalogue=self.catalogue, space=space, runtime=how, seed=seed)
            olds = {kind: old for kind in (TEXT, *space.kinds) if (old := moving.old(kind)) is not None}
            if not olds:
                raise InputError(f"{self.folder} holds nothing of another space that could be moved")
            done = tuple(moving.run(kind, old, items=items, recall=recall) for kind, old in olds.items())
            self._note_space(space)
        return done

    def forget(self, space: Space) -> int:
        """Delete the vectors of all other spaces than this one; how many bytes that gives back."""
        with self._changing():
            with self.catalogue.writing():
                own = {vector_fingerprint(space, kind) for kind in (TEXT, *space.kinds)}
                others = [store for store in self.catalogue.stores() if store.fingerprint not in own]
                for store in others:
                    for table in ("vectors", "blocks", "stores"):
                        self.catalogue.ask(f"DELETE FROM {table} WHERE store = ?", store.store)
            return sweep(self.catalogue)

    def remove(self, *, ids: Sequence[str] = (), places: Sequence[str | Path] = ()) -> int:
        """Take items out, by their ids or with the places that hold them, which are followed no more; how many there were.

        An item that is removed by its id comes back at the next sync if its place still holds it. Raises `InputError` for an
        id or a place that is not there; then nothing is removed.
        """
        with self._changing(), self.catalogue.writing():
            before = self._count()
            for place in places:
                self._remove_place(writable(str(located(place).absolute())))
            for name in ids:
                self._remove_item(name)
            return before - self._count()

    def verify(self, *, repair: bool = False) -> tuple[Damage, ...]:
        """Stretches of vectors that are not what was written. With `repair` they count no longer, and the next `sync` encodes
        their items again."""
        if not repair:
            with self.catalogue.reading():
                return damages(self.catalogue)
        with self._changing():
            with self.catalogue.writing():
                found = damages(self.catalogue)
                if found:
                    take_out(self.catalogue, found)
            sweep(self.catalogue)
        return found

    def index(self, space: Space, backend: str = "") -> Index:
        """What it holds now, to be searched: the same object until somebody changes the collection.

        `backend` searches, by default the one that `use` named. Raises `InputError` if it holds no vectors of this space.
        """
        spec = backend or self.backend
        key = spec, str(id(space.geometry))
        state = self.catalogue.state
        known = self._indexes.get(key)
        if known is None or known[0] != state or known[1].geometry is not space.geometry:
            held = self._snapshot(space)
            known = self._indexes[key] = state, Index(geometry=space.geometry, holding=held, skipped=held.missing, backend=spec)
        return known[1]

    @property
    def backend(self) -> str:
        """What searches it: `exact` until `use` names another."""
        return self.catalogue.fact(INDEX, EXACT)

    def use(self, backend: str) -> None:
        """Let another backend search it from now on: a spec, or the URL of a database."""
        make_backend(backend)
        with self._changing(), self.catalogue.writing():
            self.catalogue.note(INDEX, backend)

    def close(self) -> None:
        """Let go of its file."""
        self.catalogue.close()

    def _synced(self, space: Space, given: Any, reading: Reading, how: Runtime) -> SyncReport:
        place, survey = surveyed(given, reading, how)
        with self.catalogue.writing():
            told = json.dumps({**asdict(reading), "root": reading.root and str(reading.root)})
            source = self.catalogue.source(place, told)
            self._note_space(space)
            report = Syncing(catalogue=self.catalogue, space=space, source=source, runtime=how, removes=place != MEMORY).run(
                place, survey
            )
            shrink(self.catalogue)
        sweep(self.catalogue)
        self._indexes.clear()
        return report

    def _snapshot(self, space: Space) -> Snapshot:
        """Once more if the files were replaced between asking for them and opening them."""
        state = self.catalogue.state
        try:
            return Snapshot(self.catalogue, space)
        except DamagedError:
            if self.catalogue.state == state:
                raise
            return Snapshot(self.catalogue, space)

    def _note_space(self, space: Space) -> None:
        if space.place is not None:
            self.catalogue.note(SPACE, writable(str(space.place.absolute())))

    def _remove_place(self, place: str) -> None:
        told = self.catalogue.ask("SELECT source FROM sources WHERE place = ?", place)
        if not told:
            raise InputError(f"{self.folder} does not follow {place} (it follows: {', '.join(self.places) or 'nothing'})")
        self.catalogue.drop("source = ?", told[0][0])
        self.catalogue.ask("DELETE FROM sources WHERE source = ?", told[0][0])

    def _remove_item(self, name: str) -> None:
        rows = self.catalogue.ask(
            "SELECT row FROM items JOIN sources USING (source) WHERE id = ? OR place || '/' || id = ?", name, name
        )
        if len(rows) != 1:
            why = "holds no item" if not rows else f"holds {len(rows)} items"
            raise InputError(f"{self.folder} {why} '{name}'{'; put its place before its name' if rows else ''}")
        self.catalogue.drop("row = ?", rows[0][0])

    def _count(self) -> int:
        return int(self.catalogue.ask("SELECT count(*) FROM items")[0][0])

    @contextmanager
    def _changing(self) -> Iterator[None]:
        """One at a time."""
        lock = FileLock(self.folder / ".lock", timeout=0)
        try:
            lock.acquire()
        except Timeout:
            raise InputError(f"{self.folder} is being changed by another process; try again when it is done") from None
        try:
            yield
        finally:
            self._indexes.clear()
            lock.release()


def _reading(told: str) -> Reading:
    settings: Any = {name: tuple(value) if isinstance(value, list) else value for name, value in json.loads(told).items()}
    return Reading(**settings)
