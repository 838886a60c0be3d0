"""Why a hit is one, and why an item is none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from textanchor.collections.asking.explaining import Absence, Listed, Named, Neighbour, nearest, why_not
from textanchor.collections.holding import fields_of
from textanchor.collections.index import Index
from textanchor.collections.listing import among
from textanchor.collections.queries import Asked, asked
from textanchor.collections.ranking import rankings
from textanchor.collections.terms import Terms
from textanchor.errors import InputError
from textanchor.records import Hit, Hits, Vectors
from textanchor.runtime import Runtime
from textanchor.space import TEXT, Space
from textanchor.space.examples import Examples


@dataclass(frozen=True, kw_only=True)
class Explanation:
    """A hit, the training items that are most like it with their texts, and the training texts that say best what it is.

    Both are taken from the thousand training pairs that the space remembers; empty where it remembers none.
    """

    hit: Hit
    like: tuple[Neighbour, ...]
    texts: tuple[Neighbour, ...]


def explain(space: Space, index: Index, hits: Hits, *, k: int = 3) -> tuple[Explanation, ...]:
    """What each hit is like: the k nearest training pairs and texts."""
    return tuple(_explained(space, index, hit, k) for hit in hits)


def understood(space: Space, query: Any, *, modality: str | None = None, k: int = 3) -> tuple[tuple[Neighbour, ...], ...]:
    """For each part of a query the training texts that it is nearest to."""
    ready, _ = asked(space, query, modality, space.runtime)
    parts = [(kind, vector) for one in ready for kind, vector in zip(one.kinds, one.vectors, strict=True)]
    return tuple(nearest(vector, space.geometry.between(kind, TEXT), _texts(_all(space)), k=k) for kind, vector in parts)


def absence(
    space: Space,
    query: Any,
    index: Index,
    name: str,
    *,
    terms: Terms,
    query_modality: str | None = None,
    runtime: Runtime | None = None,
) -> Absence:
    """Why an item is not among the hits of its modality: its rank, its score, and what kept it out.

    Raises `InputError` if there is no such item, or several queries.
    """
    found = index.holding.find(name)
    if len(found) != 1:
        raise InputError(f"the collection holds {len(found) or 'no'} item{'s' * (len(found) > 1)} '{name}'")
    ((modality, place),) = found
    ready, _ = asked(space, query, query_modality, runtime or space.runtime)
    if len(ready) != 1:
        raise InputError(f"{len(ready)} queries; ask about one at a time")
    scores, parts = _scores(index, ready[0], modality)
    allowed = among(index, modality, terms)
    listed = Listed(
        scores=scores,
        k=terms.k + terms.offset,
        allowed=_mask(index.holding.filled(modality) if allowed is None else allowed, len(scores)),
        threshold=terms.threshold,
        filter=terms.filter,
        contributions=parts,
    )
    (item,) = index.holding.items(modality, [place])
    return why_not(place, listed, fields_of(item))


def _explained(space: Space, index: Index, hit: Hit, k: int) -> Explanation:
    vector = np.asarray(index.holding.raw(hit.modality)[hit.place])
    own = space.modalities[hit.modality].examples if hit.modality in space.modalities else None
    between = index.geometry.between
    like: tuple[Neighbour, ...] = ()
    if own is not None:
        known = Named(names=own.names, vectors=own.items, pairs=own.texts)
        like = nearest(vector, between(hit.modality, hit.modality), known, k=k)
    told = [own] if own is not None else _all(space)
    return Explanation(hit=hit, like=like, texts=nearest(vector, between(hit.modality, TEXT), _texts(told), k=k))


def _all(space: Space) -> list[Examples]:
    return [one.examples for one in space.modalities.values() if one.examples is not None]


def _texts(told: Sequence[Examples]) -> Named:
    """Each text once."""
    known: dict[str, Vectors] = {}
    for one in told:
        known |= dict(zip(one.texts, one.anchors, strict=True))
    return Named(names=tuple(known), vectors=np.stack(list(known.values())) if known else np.empty((0, 0), np.float32))


def _scores(index: Index, query: Asked, modality: str) -> tuple[np.ndarray, np.ndarray | None]:
    """Every item's score by its place, and what each part adds to it."""
    count = len(index.holding.raw(modality))
    (ranking,) = rankings(index, [query], modality, count, None)
    scores = np.full(count, -np.inf, dtype=np.float32)
    scores[ranking.places] = ranking.scores
    if ranking.parts is None:
        return scores, None
    parts = np.zeros((len(ranking.parts), count), dtype=np.float32)
    parts[:, ranking.places] = ranking.parts
    return scores, parts


def _mask(places: np.ndarray, count: int) -> np.ndarray:
    mask = np.zeros(count, dtype=bool)
    mask[places] = True
    return mask
