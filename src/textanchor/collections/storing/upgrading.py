"""Moving a collection to another space: some items are encoded, the others' vectors are mapped, so that it can be searched at
once, and re-encoded by the next sync."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from textanchor.collections.moving.judging import Demand, Moved, judged_map
from textanchor.collections.storing.catalogue import Catalogue, VectorStore
from textanchor.collections.storing.syncing import settle
from textanchor.errors import InputError, NothingUsableError
from textanchor.records import Item, Vectors
from textanchor.runtime import Runtime
from textanchor.space import TEXT, Space
from textanchor.space.storage import vector_fingerprint

PART = 8192


@dataclass(frozen=True, kw_only=True)
class Upgrade:
    """What became of one modality: `encoded` items by the new encoder, `mapped` the others, by `form`, which keeps `recall` of
    the ten best hits of held-out queries, with its 95 % interval.

    `lasting` of those mapped are not in any file, so that they stay mapped.
    """

    modality: str
    encoded: int
    mapped: int
    lasting: int
    form: str
    recall: float
    interval: tuple[float, float] | None
    queries: int


@dataclass(frozen=True, kw_only=True)
class Upgrading:
    """One modality's vectors of another space as vectors of a new one; within a transaction."""

    catalogue: Catalogue
    space: Space
    runtime: Runtime
    seed: int = 0

    def old(self, modality: str) -> VectorStore | None:
        """The store with most items of the modality that is of another space; None if all are in the new one already."""
        new = vector_fingerprint(self.space, modality)
        others = [one for one in self.catalogue.stores("modality = ?", modality) if one.fingerprint != new]
        best = max(others, key=lambda one: len(self.catalogue.slots(one)), default=None)
        return best if best is not None and len(self.catalogue.slots(best)) else None

    def run(self, modality: str, old: VectorStore, *, items: int, recall: float) -> Upgrade:
        """Raises `InputError` if fewer than 70 items can be encoded, or the map keeps less than `recall`."""
        places = self.catalogue.slots(old)
        drawn = np.sort(np.random.default_rng(self.seed).permutation(places)[:items])
        known = self.catalogue.items(old, drawn.tolist())
        chunks = list(self.space.stream(self._readable(known, modality), modality, runtime=self.runtime))
        done = [item.id for chunk in chunks for item in chunk.items]
        if not done:
            raise NothingUsableError(f"no {modality} of the collection can be encoded again; its files are gone")
        new = np.concatenate([chunk.vectors for chunk in chunks])
        encoded = np.array([int(name) for name in done], dtype=np.int64)
        vectors = self.catalogue.vectors(old)
        comparison = self.space.geometry.between(TEXT, modality)
        moved = judged_map(
            np.asarray(vectors[encoded]),
            new,
            self._queries(modality, new),
            comparison,
            demand=Demand(least=recall, total=len(places)),
            seed=self.seed,
        )
        rest = np.setdiff1d(places, encoded)
        self._write(modality, old, {"encoded": encoded, "rest": rest}, new, vectors, moved)
        lasting = self.catalogue.ask(
            "SELECT count(*) FROM vectors JOIN items USING (row) WHERE store = ? AND path IS NULL AND held IS NULL", old.store
        )[0][0]
        return Upgrade(
            modality=modality,
            encoded=len(encoded),
            mapped=len(rest),
            lasting=lasting,
            form=moved.map.form.kind,
            recall=moved.kept.recall,
            interval=moved.kept.interval,
            queries=moved.kept.queries,
        )

    def _readable(self, known: dict[int, Item], modality: str) -> list[Item]:
        """Those that lie in files, called by their places."""
        kept = ((slot, item) for slot, item in known.items() if item.path is not None or item.value is not None)
        return [Item(id=str(slot), modality=modality, path=item.path, value=item.value) for slot, item in kept]

    def _queries(self, modality: str, new: Vectors) -> Vectors:
        """Texts that the new space was not fitted on, where it keeps some; else those of its bank, or the items themselves."""
        unseen = self.space.geometry.between(TEXT, modality).unseen[1]
        if unseen is not None:
            return unseen.texts
        view = self.space.geometry.view(modality)
        if view is not None and view.hubness is not None:
            return view.hubness.texts
        raise InputError(f"the new space keeps no texts of {modality} by which a map could be judged; sync with it instead")

    def _write(
        self,
        modality: str,
        old: VectorStore,
        places: dict[str, np.ndarray],
        new: Vectors,
        vectors: Vectors,
        moved: Moved,
    ) -> None:
        """All items' vectors into the new space's store, those of the encoder first."""
        store = self.catalogue.store(vector_fingerprint(self.space, modality), modality, dim=self.space.dim)
        assert store is not None
        self.catalogue.ask("DELETE FROM vectors WHERE store = ?", store.store)
        appending = self.catalogue.appending(store)
        try:
            self._place(store, old, places["encoded"], appending.add(new), mapped_ones=False)
            for start in range(0, len(places["rest"]), PART):
                part = places["rest"][start : start + PART]
                self._place(store, old, part, appending.add(moved.map(np.asarray(vectors[part]))), mapped_ones=True)
            appending.close()
        finally:
            appending.abandon()
        settle(self.catalogue, store, appending.rows)

    def _place(
        self, store: VectorStore, old: VectorStore, was: Sequence[int] | np.ndarray, now: range, *, mapped_ones: bool
    ) -> None:
        for before, slot in zip(was, now, strict=True):
            self.catalogue.ask(
                "INSERT INTO vectors (store, slot, row, mapped) SELECT ?, ?, row, ? FROM vectors WHERE store = ? AND slot = ?",
                store.store,
                slot,
                int(mapped_ones),
                old.store,
                int(before),
            )
