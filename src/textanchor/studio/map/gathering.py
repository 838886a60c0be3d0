"""Items of a collection or a project as they are laid out: keys and comparable vectors, evenly taken where there are many."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from textanchor.records import Item, Vectors
from textanchor.space import Space
from textanchor.studio.sources import Labelling, Shelved
from textanchor.views import as_peer

MOST = 10_000  # points of a map


@dataclass(frozen=True, kw_only=True)
class Gathered:
    """Items as points: `rows` are places in the source (of a project's overview), `total` how many items there are.

    `items` are read when they are asked for; vectors of items that have none are NaN.
    """

    keys: tuple[str, ...]
    modalities: tuple[str, ...]
    vectors: Vectors
    rows: np.ndarray
    total: int
    items: Callable[[], list[Item]]


def of_collection(source: Shelved, most: int = MOST) -> Gathered:
    """Each modality's vectors as they are compared with those of others."""
    index, space = source.index, source.shelf.space
    kinds = index.modalities
    places = [(kind, int(place)) for kind in kinds for place in index.holding.filled(kind)]
    rows = _some(len(places), most)
    chosen = [places[row] for row in rows]
    items: list[Item] = []
    vectors: list[Vectors] = []
    for kind in kinds:
        own = [place for held, place in chosen if held == kind]
        if own:
            items += index.holding.items(kind, own)
            vectors.append(_peers(space, kind, np.asarray(index.holding.raw(kind)[own])))
    keys = tuple(source.key(kind, place, item.id) for (kind, place), item in zip(chosen, items, strict=True))
    return Gathered(
        keys=keys,
        modalities=tuple(kind for kind, _ in chosen),
        vectors=np.concatenate(vectors) if vectors else np.zeros((0, 1), np.float32),
        rows=rows,
        total=len(places),
        items=lambda: items,
    )


def of_project(source: Labelling, space: Space | None, most: int = MOST) -> Gathered:
    """In the anchor's space where the project has one, else by all that is seen of each."""
    seen = source.project.overview()
    rows = _some(len(seen.ids), most)
    raw = source.project.vectors()
    if raw is not None:
        vectors = raw[rows]
        kinds = np.array(seen.modalities)[rows]
        for kind in set(kinds.tolist()):
            own = kinds == kind
            vectors[own] = _peers(space, kind, vectors[own])
    else:
        vectors = source.project.pool().places[rows]
        vectors[np.abs(vectors).max(axis=1) == 0] = np.nan
    keys = tuple(source.key(int(seen.numbers[row]), seen.ids[row]) for row in rows)
    return Gathered(
        keys=keys,
        modalities=tuple(seen.modalities[row] for row in rows),
        vectors=vectors,
        rows=rows,
        total=len(seen.ids),
        items=list,
    )


def _some(count: int, most: int) -> np.ndarray:
    """The same ones each time."""
    return np.sort(np.random.default_rng(0).permutation(count)[:most])


def _peers(space: Space | None, kind: str, raw: Vectors) -> Vectors:
    """Centred by the modality's view and of length 1; what is zero has no vector."""
    there = np.abs(raw).max(axis=1) > 0
    view = space.geometry.view(kind) if space is not None and kind in space.kinds else None
    found = np.full(raw.shape, np.nan, dtype=np.float32)
    found[there] = as_peer(view, None, raw[there].astype(np.float32))
    return found
