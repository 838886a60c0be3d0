"""An index: a collection's items and raw vectors, and what finds the nearest of them under the views of a space."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from threading import Lock
from typing import Unpack

from textanchor import registry
from textanchor.collections.backends import Backend, Found, Rows, make_backend, without_password
from textanchor.collections.holding import Holding, InMemory
from textanchor.collections.taking import known_items
from textanchor.data.objects.object_tables import is_table
from textanchor.data.pairs import read_collection
from textanchor.errors import InputError, NothingUsableError
from textanchor.records import Item, Skipped, Vectors
from textanchor.runtime import Reading, Runtime, Simple, settled
from textanchor.space import TEXT, Comparison, Geometry, Space, as_items

EXACT = "exact"


@dataclass(frozen=True, kw_only=True, eq=False)
class Index:
    """What a collection or memory holds, compared by a geometry, and what could not be read.

    For each way of comparing there is a gallery in a backend of its own, named by `backend`; it is made when it is first asked,
    and shared by all query modalities that compare alike. May be used by several threads.
    """

    geometry: Geometry
    holding: Holding
    skipped: tuple[Skipped, ...] = ()
    backend: str = EXACT
    _galleries: dict[str, Backend] = field(default_factory=dict, repr=False)
    _building: Lock = field(default_factory=Lock, repr=False)

    def __repr__(self) -> str:
        counts = ", ".join(f"{self.holding.count(modality)} {modality}" for modality in self.modalities)
        dim = self.holding.raw(self.modalities[0]).shape[1]
        return f"Index({counts}; {dim} numbers each; {without_password(self.backend)})"

    def __len__(self) -> int:
        return sum(map(self.holding.count, self.modalities))

    @property
    def modalities(self) -> tuple[str, ...]:
        """Modalities that are there, in order of first appearance."""
        return self.holding.modalities

    @property
    def items(self) -> tuple[Item, ...]:
        """All items of what was indexed in memory. Raises `InputError` for a collection, which lists its own."""
        if not isinstance(self.holding, InMemory):
            raise InputError("a collection's items are not all in memory; list them: textanchor collection list")
        return self.holding.all_items

    @cached_property
    def exact(self) -> bool:
        """Whether the best are always found."""
        return make_backend(self.backend).exact

    def top(self, queries: Vectors, query_modality: str, modality: str, k: int, *, allowed: Rows | None = None) -> Found:
        """Scores and places of the k best items of one modality for each raw query vector; see `Comparison`.

        `allowed` are places among which to search.
        """
        comparison = self.geometry.between(query_modality, modality)
        count = min(k, self.holding.count(modality))
        return self.gallery(comparison).top(comparison.query(queries), count, allowed)

    def gallery(self, comparison: Comparison) -> Backend:
        """What finds the nearest under a comparison."""
        with self._building:
            if comparison.key not in self._galleries:
                self._galleries[comparison.key] = self.holding.backend(comparison, self.backend)
            return self._galleries[comparison.key]


def build_index(
    space: Space,
    collection: object,
    *,
    texts: bool = False,
    modality: str | None = None,
    backend: str = EXACT,
    reading: Reading | None = None,
    runtime: Runtime | None = None,
    **simple: Unpack[Simple],
) -> Index:
    """Embed a folder, a table, a data frame or data set, or a sequence of items (see `Space.embed`).

    With `texts`, a table's texts instead of its items. `modality` is taken for files whose ending says none, for arrays and
    bytes, and for names of files in a sequence; `reading` says what of a folder or table is read; `backend` is what searches,
    such as `exact` or `faiss(kind=hnsw)`.

    Raises `NothingUsableError` if nothing can be read, `UnknownNameError`, `InputError` or `MissingError` for a backend that
    cannot be had; with `strict`, `ItemError` at the first item that cannot be read.
    """
    how = settled(runtime or space.runtime, simple)
    _check_backend(backend)
    skipped: tuple[Skipped, ...] = ()
    if isinstance(collection, str | Path) or is_table(collection):
        items, skipped = read_collection(collection, texts=texts, modality=_of_files(modality), reading=reading)
    else:
        mute = modality if modality in space.modalities else _of_files(modality)  # arrays may be vectors made elsewhere
        items = tuple(as_items(collection, unsaid=None if modality == TEXT else mute))
        if not items:
            raise NothingUsableError("the collection is empty")
    known, foreign = known_items(space, items)
    embedded = space.embed_all(known, runtime=how)
    return Index(
        geometry=space.geometry,
        holding=InMemory(all_items=embedded.items, vectors=embedded.vectors, contents=embedded.contents),
        skipped=(*skipped, *foreign, *embedded.skipped),
        backend=backend,
    )


def _check_backend(spec: str) -> None:
    """Says what is wrong with a backend before anything is embedded."""
    made = make_backend(spec)
    if not isinstance(made, Backend):
        raise InputError(f"index '{without_password(spec)}' is no backend; expected build, add, remove, top, save and load")


def _of_files(modality: str | None) -> str | None:
    return modality if modality in registry.names("reader") else None
