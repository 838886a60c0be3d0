"""Search: a query of any modality, hits of any or of one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Unpack

import numpy as np

from textanchor.collections.index import EXACT, Index, build_index
from textanchor.errors import InputError
from textanchor.progress import Silent
from textanchor.records import Item
from textanchor.runtime import Runtime, Simple, settled
from textanchor.space import TEXT, Geometry, Space, as_items

Scale = tuple[float, float]  # mean and standard deviation of the scores of random training vectors


@dataclass(frozen=True, kw_only=True)
class Hit:
    """One result. `score` is the cosine under the view in which query and hit are compared, in [-1, 1], plus the view's
    hubness bias.

    `standard` is the score in standard deviations above that of random training pairs of the two modalities, by which a list of
    several modalities is ordered; None in a list of one. `path` is None for a text or a value in memory.
    """

    rank: int
    id: str
    modality: str
    score: float
    path: Path | None
    standard: float | None = None


def search(
    space: Space,
    query: Any,
    collection: Index | str | Path | Sequence[Any],
    *,
    k: int = 10,
    modality: str | None = None,
    query_modality: str | None = None,
    allowed: Sequence[int] | None = None,
    standardise: bool = True,
    backend: str = EXACT,
    runtime: Runtime | None = None,
    **simple: Unpack[Simple],
) -> list[Hit]:
    """The k items of a collection nearest to a query, best first, of one modality or of any.

    `query` is whatever `Space.embed` takes: a str is a sentence, a `Path` a file. `collection` is a folder, a table, a
    sequence of items, or an `Index` to be searched again and again. With `modality="text"` the texts of a table are the hits.
    `allowed` are rows of the index among which to search; `backend` searches where the collection is no index yet.
    Scores of different modalities come from different distributions, so a mixed list is ordered by scores brought to one scale
    (`Hit.standard`), which training vectors give; `standardise=False` orders by the bare scores.
    Raises `InputError` for a modality that is not in the space or the collection, and what `build_index` raises.
    """
    how = settled(runtime or space.runtime, simple)
    if k < 1:
        raise InputError(f"k={k}: at least 1 hit must be asked for")
    if modality is not None and modality not in (TEXT, *space.kinds):
        known = ", ".join((TEXT, *space.kinds))
        raise InputError(f"the space has no modality '{modality}' (it has: {known})")
    index = (
        collection
        if isinstance(collection, Index)
        else build_index(space, collection, texts=modality == TEXT, modality=modality, backend=backend, runtime=how)
    )
    if modality is not None and modality not in index.modalities:
        raise InputError(f"the collection holds no {modality} (it holds: {', '.join(index.modalities)})")
    items = as_items(query, query_modality)
    if len(items) != 1:
        raise InputError(f"{len(items)} queries were given; search takes one")
    asked = space.embed_all(items, store=False, runtime=replace(how, strict=True, progress=Silent()))
    asking = asked.items[0].modality
    galleries = (modality,) if modality else index.modalities
    scales = _scales(index.geometry, asking, galleries) if standardise else {}
    rows = None if allowed is None else np.asarray(allowed, dtype=np.int64)
    found: list[tuple[float, float, Item]] = []
    for name in galleries:
        mean, deviation = scales.get(name, (0.0, 1.0))
        for score, item in index.search(asked.vectors, asking, name, k, allowed=rows):
            found.append(((score - mean) / deviation, score, item))
    found.sort(key=lambda entry: -entry[0])
    return [
        Hit(
            rank=rank,
            id=item.id,
            modality=item.modality,
            score=score,
            path=item.path,
            standard=standard if scales else None,
        )
        for rank, (standard, score, item) in enumerate(found[:k], start=1)
    ]


def _scales(geometry: Geometry, asking: str, galleries: Sequence[str]) -> dict[str, Scale]:
    """One scale a gallery where there are several; none at all where one of them has none, for half measures mislead."""
    if len(galleries) < 2:
        return {}
    scales = {name: scale for name in galleries if (scale := geometry.between(asking, name).scale) is not None}
    return scales if len(scales) == len(galleries) else {}
