"""An index: a collection's items and raw vectors, and what finds the nearest of them under the views of a space."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from threading import Lock
from typing import Unpack

import numpy as np

from textanchor import registry
from textanchor.collections.backends import NONE, Backend, Rows, make_backend
from textanchor.collections.taking import known_items
from textanchor.data.objects.object_tables import is_table
from textanchor.data.pairs import read_collection
from textanchor.errors import InputError, NothingUsableError
from textanchor.records import Item, Skipped, Vectors
from textanchor.records.showing import counted
from textanchor.runtime import Reading, Runtime, Simple, settled
from textanchor.space import TEXT, Comparison, Geometry, Space, as_items

EXACT = "exact"


@dataclass(frozen=True, kw_only=True, eq=False)
class Index:
    """A collection's items and raw vectors, compared by a geometry, and what could not be read.

    For each way of comparing there is a gallery in a backend of its own, named by `backend`; it is made when it is first asked,
    and shared by all query modalities that compare alike. May be used by several threads.
    """

    geometry: Geometry
    items: tuple[Item, ...]
    vectors: Vectors
    skipped: tuple[Skipped, ...] = ()
    backend: str = EXACT
    _galleries: dict[str, Backend] = field(default_factory=dict, repr=False)
    _building: Lock = field(default_factory=Lock, repr=False)

    def __repr__(self) -> str:
        return f"Index({counted(item.modality for item in self.items)}; {self.vectors.shape[1]} numbers each; {self.backend})"

    @cached_property
    def modalities(self) -> tuple[str, ...]:
        """Modalities that are there, in order of first appearance."""
        return tuple(self._rows)

    def search(
        self, queries: Vectors, query_modality: str, modality: str, k: int, *, allowed: Rows | None = None
    ) -> list[list[tuple[float, Item]]]:
        """For each raw query vector the k best items of one modality, with their scores; see `Comparison`.

        `allowed` are rows of the collection among which to search.
        """
        comparison = self.geometry.between(query_modality, modality)
        rows = self._rows[modality]
        places = None if allowed is None else np.flatnonzero(np.isin(rows, allowed))
        scores, found = self._gallery(comparison).top(comparison.query(queries), min(k, len(rows)), places)
        return [
            [(score, self.items[rows[place]]) for score, place in zip(*hits, strict=True) if place != NONE]
            for hits in zip(scores.tolist(), found.tolist(), strict=True)
        ]

    @cached_property
    def _rows(self) -> dict[str, Rows]:
        """Where each modality's items stand."""
        rows: dict[str, list[int]] = {}
        for row, item in enumerate(self.items):
            rows.setdefault(item.modality, []).append(row)
        return {modality: np.array(own, dtype=np.int64) for modality, own in rows.items()}

    def _gallery(self, comparison: Comparison) -> Backend:
        with self._building:
            if comparison.key not in self._galleries:
                gallery = make_backend(self.backend)
                gallery.build(comparison.gallery(self.vectors[self._rows[comparison.asked]]))
                self._galleries[comparison.key] = gallery
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
        items=embedded.items,
        vectors=embedded.vectors,
        skipped=(*skipped, *foreign, *embedded.skipped),
        backend=backend,
    )


def _check_backend(spec: str) -> None:
    """Says what is wrong with a backend before anything is embedded."""
    made = make_backend(spec)
    if not isinstance(made, Backend):
        raise InputError(f"index '{spec}' is no backend; expected build, add, remove, top, save and load")


def _of_files(modality: str | None) -> str | None:
    return modality if modality in registry.names("reader") else None
