"""Search: a query of any modality, hits of any or of one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Unpack, overload

import numpy as np

from textanchor.collections.index import EXACT, Index, build_index
from textanchor.data.arrays import as_array
from textanchor.errors import InputError
from textanchor.progress import Silent
from textanchor.records import Hit, Item, Vectors
from textanchor.runtime import Runtime, Simple, settled
from textanchor.space import TEXT, Geometry, Space, as_items, single

Scale = tuple[float, float]  # mean and standard deviation of the scores of random training vectors
Scored = tuple[float, float, Item]  # standard score, score


@overload
def search(
    space: Space,
    query: list[Any],
    collection: object,
    *,
    k: int = 10,
    modality: str | None = None,
    query_modality: str | None = None,
    allowed: Sequence[int] | None = None,
    standardise: bool = True,
    backend: str = EXACT,
    runtime: Runtime | None = None,
    **simple: Unpack[Simple],
) -> list[list[Hit]]: ...


@overload
def search(
    space: Space,
    query: Any,
    collection: object,
    *,
    k: int = 10,
    modality: str | None = None,
    query_modality: str | None = None,
    allowed: Sequence[int] | None = None,
    standardise: bool = True,
    backend: str = EXACT,
    runtime: Runtime | None = None,
    **simple: Unpack[Simple],
) -> list[Hit]: ...


def search(
    space: Space,
    query: Any,
    collection: object,
    *,
    k: int = 10,
    modality: str | None = None,
    query_modality: str | None = None,
    allowed: Sequence[int] | None = None,
    standardise: bool = True,
    backend: str = EXACT,
    runtime: Runtime | None = None,
    **simple: Unpack[Simple],
) -> list[Hit] | list[list[Hit]]:
    """The k items of a collection nearest to a query, best first, of one modality or of any; of several queries a list each.

    `query` is whatever `Space.embed` takes: a str is a sentence, a `Path` a file. A list holds several queries. An array of
    floats as long as the space's vectors, [d] or [q, d], is one or several raw vectors of `query_modality` (default: text).
    `collection` is a folder, a table, a data frame, a sequence of items, or an `Index` to be searched again and again. With
    `modality="text"` the texts of a table are the hits.
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
    galleries = (modality,) if modality else index.modalities
    rows = None if allowed is None else np.asarray(allowed, dtype=np.int64)
    vectors, kinds, one = _queries(space, query, query_modality, how)
    hits: list[list[Hit]] = [[] for _ in kinds]
    for asking in dict.fromkeys(kinds):
        scales = _scales(index.geometry, asking, galleries) if standardise else {}
        own = [row for row, kind in enumerate(kinds) if kind == asking]
        asked = vectors if len(own) == len(kinds) else vectors[own]
        found: list[list[Scored]] = [[] for _ in own]
        for name in galleries:
            mean, deviation = scales.get(name, (0.0, 1.0))
            for place, scored in enumerate(index.search(asked, asking, name, k, allowed=rows)):
                found[place] += [((score - mean) / deviation, score, item) for score, item in scored]
        for row, entries in zip(own, found, strict=True):
            hits[row] = _best(entries, k, scales)
    return hits[0] if one else hits


def _queries(space: Space, query: Any, modality: str | None, how: Runtime) -> tuple[Vectors, tuple[str, ...], bool]:
    """Raw vectors of all queries, their modalities, and whether there is but one that was not in a list."""
    array = as_array(query)
    if array is not None and array.dtype.kind == "f" and array.ndim in (1, 2) and array.shape[-1] == space.dim:
        series = modality == "series" and array.ndim == 1
        if not series:
            if not np.isfinite(array).all():
                raise InputError("the query vector holds NaN or infinite numbers")
            vectors = np.ascontiguousarray(array.reshape(-1, space.dim), dtype=np.float32)
            return vectors, (modality or TEXT,) * len(vectors), array.ndim == 1
    if array is not None and array.dtype.kind == "f" and array.ndim == 1 and modality is None:
        raise InputError(f"a query vector has {space.dim} numbers, as this space's vectors have, and not {len(array)}")
    items = as_items(query, modality)
    if not items:
        return np.empty((0, space.dim), dtype=np.float32), (), False
    asked = space.embed_all(items, store=False, runtime=replace(how, strict=True, progress=Silent()))
    return asked.vectors, tuple(item.modality for item in asked.items), single(query, modality)


def _best(entries: list[Scored], k: int, scales: Mapping[str, Scale]) -> list[Hit]:
    """The k best of all galleries together."""
    entries.sort(key=lambda entry: -entry[0])
    return [
        Hit(
            rank=rank,
            id=item.id,
            modality=item.modality,
            score=score,
            path=item.path,
            standard=standard if scales else None,
        )
        for rank, (standard, score, item) in enumerate(entries[:k], start=1)
    ]


def _scales(geometry: Geometry, asking: str, galleries: Sequence[str]) -> dict[str, Scale]:
    """One scale a gallery where there are several; none at all where one of them has none, for half measures mislead."""
    if len(galleries) < 2:
        return {}
    scales = {name: scale for name in galleries if (scale := geometry.between(asking, name).scale) is not None}
    return scales if len(scales) == len(galleries) else {}
