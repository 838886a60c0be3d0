"""Search: a query of any modality, hits of any or of one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from textanchor.errors import InputError
from textanchor.index import Index, build_index
from textanchor.space import Space
from textanchor.space.items import TEXT, as_items
from textanchor.space.spread import spread


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
    standardise: bool = True,
) -> list[Hit]:
    """The k items of a collection nearest to a query, best first, of one modality or of any.

    `query` is whatever `Space.embed` takes: a str is a sentence, a `Path` a file. `collection` is a folder, a table, a
    sequence of items, or an `Index` to be searched again and again. With `modality="text"` the texts of a table are the hits.
    Scores of different modalities come from different distributions, so a mixed list is ordered by scores brought to one scale
    (`Hit.standard`), which training vectors give; `standardise=False` orders by the bare scores.
    Raises `InputError` for a modality that is not in the space or the collection.
    """
    if k < 1:
        raise InputError(f"k={k}: at least 1 hit must be asked for")
    if modality is not None and modality not in (TEXT, *space.kinds):
        known = ", ".join((TEXT, *space.kinds))
        raise InputError(f"the space has no modality '{modality}' (it has: {known})")
    index = (
        collection
        if isinstance(collection, Index)
        else build_index(space, collection, texts=modality == TEXT, modality=modality)
    )
    if modality is not None and modality not in index.modalities:
        raise InputError(f"the collection holds no {modality} (it holds: {', '.join(index.modalities)})")
    items = as_items(query, query_modality)
    if len(items) != 1:
        raise InputError(f"{len(items)} queries were given; search takes one")
    asked = space.embed_all(items, strict=True, store=False)
    kind = asked.items[0].modality
    galleries = [modality] if modality else list(index.modalities)
    spreads = {held: spread(space, kind, held) for held in galleries} if standardise and len(galleries) > 1 else {}
    scales = {held: spread for held, spread in spreads.items() if spread is not None}
    if len(scales) < len(galleries):  # no half measures: one scale for all, or none
        scales = {}
    found = []
    for held in galleries:
        mean, deviation = scales.get(held, (0.0, 1.0))
        found += [((score - mean) / deviation, score, item) for score, item in index.search(asked.vectors, kind, held, k)]
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
