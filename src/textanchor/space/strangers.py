"""Held-out queries and items of which it is known that they do not belong together."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool

from textanchor.records import Unseen, Vectors
from textanchor.space.items import TEXT

SAME = 0.999  # cosine of two anchor vectors from which on they are one text
MANY = 1000  # texts that ask, at most


@dataclass(frozen=True, kw_only=True)
class Strangers:
    """Raw vectors that ask [q, d] and that are asked [g, d]; `apart[q, g]`: the two do not belong together. `foreign` [f, d]
    are queries that belong to nothing."""

    queries: Vectors
    gallery: Vectors
    apart: Bool[np.ndarray, "q g"]
    foreign: Vectors | None = None


def strangers(asking: str, asked: str, mine: Unseen | None, theirs: Unseen | None) -> Strangers | None:
    """Validation items and texts of the modalities; two items belong together if they share a text.

    None where neither modality keeps any.
    """
    if asking == TEXT:
        mine = theirs if asked != TEXT else mine
    if asked == TEXT:
        theirs = mine
    if mine is None or theirs is None:
        return None
    queries = mine.texts[:MANY] if asking == TEXT else mine.items
    gallery = theirs.texts[:MANY] if asked == TEXT else theirs.items
    left = np.eye(len(mine.texts), dtype=bool) if asking == TEXT else mine.belongs
    right = np.eye(len(theirs.texts), dtype=bool) if asked == TEXT else theirs.belongs
    chain = [left[: len(queries)], right[: len(gallery)].T]
    if mine is not theirs:
        chain.insert(1, _unit(mine.texts) @ _unit(theirs.texts).T > SAME)
    shared = np.linalg.multi_dot([part.astype(np.float32) for part in chain])
    foreign = mine.foreign if asking == TEXT else None
    return Strangers(queries=queries, gallery=gallery, apart=shared == 0, foreign=foreign)


def _unit(vectors: Vectors) -> Vectors:
    return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
