"""An index: the raw vectors of a collection, searchable under the space's views."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float32, Int

from textanchor import registry
from textanchor.data.pairs import read_collection
from textanchor.errors import NothingUsableError
from textanchor.records import Item, Skipped, Vectors
from textanchor.space import Space
from textanchor.space.items import as_items


@runtime_checkable
class Backend(Protocol):
    """Nearest neighbours by inner product among unit vectors."""

    def __init__(self, vectors: Vectors) -> None: ...

    def top(self, queries: Vectors, k: int) -> tuple[Float32[np.ndarray, "q k"], Int[np.ndarray, "q k"]]:
        """Scores and rows of the k best, best first; k is at most the number of vectors."""


@dataclass(frozen=True, kw_only=True)
class Index:
    """A collection's items and raw vectors, and what could not be read."""

    space: Space
    items: tuple[Item, ...]
    vectors: Vectors
    skipped: tuple[Skipped, ...] = ()
    backend: str = "exact"
    _ready: dict[tuple[str, str], tuple[Backend, np.ndarray]] = field(default_factory=dict, repr=False, compare=False)

    @property
    def modalities(self) -> tuple[str, ...]:
        """Modalities held, in order of first appearance."""
        return tuple(dict.fromkeys(item.modality for item in self.items))

    def search(self, query: Vectors, query_modality: str, modality: str, k: int) -> list[tuple[float, Item]]:
        """The k best items of one modality for one raw query vector, by cosine under the view the two are compared in."""
        if (modality, query_modality) not in self._ready:
            held = np.array([row for row, item in enumerate(self.items) if item.modality == modality], dtype=np.int64)
            gallery = self.space.gallery(self.vectors[held], modality, query_modality)
            self._ready[modality, query_modality] = registry.load("index", self.backend)(gallery), held
        backend, rows = self._ready[modality, query_modality]
        scores, places = backend.top(self.space.query(query, query_modality, modality), min(k, len(rows)))
        return [(float(score), self.items[rows[place]]) for score, place in zip(scores[0], places[0], strict=True)]


def build_index(
    space: Space,
    collection: str | Path | Sequence[Any],
    *,
    texts: bool = False,
    modality: str | None = None,
    strict: bool = False,
    progress: bool = False,
) -> Index:
    """Embed a folder, a table or a sequence of items (see `Space.embed`). With `texts`, a table's texts instead of its items.
    `modality` is taken for files whose ending says none.

    Raises `NothingUsableError` if nothing can be read; with `strict`, `ItemError` at the first item that cannot.
    """
    skipped: tuple[Skipped, ...] = ()
    if isinstance(collection, str | Path):
        items, skipped = read_collection(collection, texts=texts, modality=_of_files(modality))
    else:
        items = tuple(as_items(collection))
    kinds = {"text", "document", *space.kinds}
    known = [item for item in items if item.modality in kinds]
    unknown = [item for item in items if item.modality not in kinds]
    foreign = tuple(Skipped(item=one.id, reason=f"the space has no modality '{one.modality}'") for one in unknown)
    if foreign and not known:
        raise NothingUsableError(
            f"no item can be embedded; the first of {len(foreign)}: {foreign[0].item}: {foreign[0].reason}"
        )
    found = space.embed_all(known, strict=strict, progress=progress)
    return Index(space=space, items=found.items, vectors=found.vectors, skipped=(*skipped, *foreign, *found.skipped))


def _of_files(modality: str | None) -> str | None:
    return modality if modality in registry.names("reader") else None
