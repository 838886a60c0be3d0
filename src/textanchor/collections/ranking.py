"""The best of one modality for many queries: scores, places, and how probable each score is by chance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float32

from textanchor.collections.asking.composing import Asking, compose
from textanchor.collections.backends.exact import first_of_largest
from textanchor.collections.backends.protocol import NONE, Rows
from textanchor.collections.index import Index
from textanchor.collections.queries import Asked


@dataclass(frozen=True, kw_only=True)
class Ranking:
    """The best places of one modality for one query, best first; `p`, `percentiles` and `order`, by which several modalities
    are put in one, where something is known of chance.

    `parts` is what each part of a composed query adds to each score. *Shape:* [k]; parts [m, k].
    """

    modality: str
    scores: Float32[np.ndarray, " k"]
    places: Rows
    p: Float[np.ndarray, " k"] | None = None
    percentiles: Float[np.ndarray, " k"] | None = None
    order: Float[np.ndarray, " k"] | None = None
    standard: Float[np.ndarray, " k"] | None = None
    parts: Float32[np.ndarray, "m k"] | None = None


def rankings(index: Index, queries: Sequence[Asked], modality: str, depth: int, places: Rows | None) -> list[Ranking]:
    """A ranking a query, at most `depth` deep, among some places. Plain queries of one modality go to the index together."""
    found: list[Ranking | None] = [None] * len(queries)
    for kind in dict.fromkeys(query.kinds[0] for query in queries if query.plain):
        own = [row for row, query in enumerate(queries) if query.plain and query.kinds[0] == kind]
        vectors = np.concatenate([queries[row].vectors for row in own])
        scores, best = index.top(vectors, kind, modality, depth, allowed=places)
        for row, one, where in zip(own, scores, best, strict=True):
            there = where != NONE
            found[row] = _judged(index, kind, modality, one[there], where[there])
    for row, query in enumerate(queries):
        if not query.plain:
            found[row] = _composed(index, query, modality, depth, places)
    return [one for one in found if one is not None]


def _judged(index: Index, kind: str, modality: str, scores: Float32[np.ndarray, " k"], places: Rows) -> Ranking:
    comparison = index.geometry.between(kind, modality)
    chance, scale = comparison.chance, comparison.scale
    return Ranking(
        modality=modality,
        scores=scores,
        places=places,
        p=None if chance is None else chance.p(scores),
        percentiles=None if chance is None else chance.percentile(scores),
        order=None if chance is None else chance.order(scores),
        standard=None if scale is None else (scores.astype(float) - scale[0]) / scale[1],
    )


def _composed(index: Index, query: Asked, modality: str, depth: int, places: Rows | None) -> Ranking:
    """All items are scored by every part; what chance gives such a query is not known."""
    comparisons = [index.geometry.between(kind, modality) for kind in query.kinds]
    told = zip(comparisons, query.vectors, query.weights, strict=True)
    made = compose([Asking(comparison=one, vector=vector, weight=weight) for one, vector, weight in told], way=query.way)
    galleries = {voice.comparison.key: index.holding.gallery(voice.comparison) for voice in made.voices}
    among = index.holding.filled(modality) if places is None else np.intersect1d(index.holding.filled(modality), places)
    parts = made.contributions({key: gallery[among] for key, gallery in galleries.items()})
    best = first_of_largest(parts.sum(axis=0), min(depth, len(among)))
    scores = parts.sum(axis=0)[best]
    spread = comparisons[0].scale if len(made.voices) == 1 else (0.0, 1.0)
    standard = None if spread is None else (scores.astype(float) - spread[0]) / spread[1]
    return Ranking(modality=modality, scores=scores, places=among[best], standard=standard, parts=parts[:, best])
