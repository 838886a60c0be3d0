"""Classes that nobody has thought of: clusters of items that fit none, and what they may be called."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float32, Int
from sklearn.cluster import AgglomerativeClustering
from sklearn.preprocessing import normalize

from textanchor.errors import InputError
from textanchor.labelling.care.unknown import Unknowns
from textanchor.labelling.pool import Labelled, Pool, Rows

LEVEL = 0.2  # of strangeness: here a person looks at what was found
FEWEST = 3  # items of a class
MOST = 5000  # of the strangest items that are clustered
NAMES = 3


@dataclass(frozen=True, kw_only=True)
class Vocabulary:
    """Texts that a class may be called by, and the anchor's vectors of them."""

    texts: tuple[str, ...]
    vectors: Float32[np.ndarray, "v a"]


@dataclass(frozen=True, kw_only=True)
class NewClass:
    """Items that may be a class: their `rows`, the most central first, how `alike` they are (mean cosine to their middle), and
    what they may be called with the score of each name, the best first."""

    rows: Rows
    alike: float
    names: tuple[tuple[str, float], ...] = ()


def discover(
    pool: Pool,
    labelled: Labelled,
    strange: Unknowns,
    *,
    vectors: Float32[np.ndarray, "n a"] | None = None,
    vocabulary: Vocabulary | None = None,
    level: float = LEVEL,
) -> tuple[NewClass, ...]:
    """Clusters of items that fit no class at that level, the largest first.

    Average linkage, cut where labelled items of one class are told best from those of two (by F1 over pairs). With the items'
    `vectors` in the anchor's space and a `vocabulary` each has three names: those whose text vectors are nearest to its middle,
    less how near they are to all items, and none that is a class already. Raises `InputError` for one of the two only.
    """
    if (vectors is None) != (vocabulary is None):
        raise InputError("names need both the items' vectors in the anchor's space and a vocabulary; give both or none")
    rows = strange.rows(level)[:MOST]
    if len(rows) < FEWEST:
        return ()
    places = pool.places[rows]
    apart = np.maximum(1 - places @ places.T, 0)
    threshold = max(1 - cut(pool, labelled), 1e-6)
    made = AgglomerativeClustering(None, metric="precomputed", linkage="average", distance_threshold=threshold)
    of = made.fit_predict(apart)
    found = [_made(pool, rows[of == one], vectors, vocabulary) for one in np.unique(of) if (of == one).sum() >= FEWEST]
    return tuple(sorted(found, key=lambda one: (-len(one.rows), -one.alike)))


def cut(pool: Pool, labelled: Labelled) -> float:
    """The cosine at which pairs of labelled items are told best: alike from there on are those of one class, by F1."""
    places = pool.places[labelled.rows]
    one, other = np.triu_indices(len(labelled), 1)
    same = labelled.classes[one] == labelled.classes[other]
    if not same.any():
        raise InputError(
            f"no two of {len(labelled)} labelled items are of one class; expected some, to tell how alike they are"
        )
    alike = (places @ places.T)[one, other]
    return best_threshold(alike.astype(np.float32), same)


def best_threshold(scores: Float32[np.ndarray, " n"], right: Bool[np.ndarray, " n"]) -> float:
    """The score from which on calling all right has the highest F1."""
    order = np.argsort(-scores, kind="stable")
    hits = np.cumsum(right[order])
    f1 = 2 * hits / (np.arange(1, len(order) + 1) + max(int(hits[-1]), 1))
    last = np.append(np.diff(scores[order]) != 0, True)  # equal scores are taken together
    return float(scores[order][np.where(last, f1, -1).argmax()])


def _made(pool: Pool, rows: Rows, vectors: Float32[np.ndarray, "n a"] | None, vocabulary: Vocabulary | None) -> NewClass:
    middle = normalize(pool.places[rows].mean(axis=0, keepdims=True))[0]
    alike = pool.places[rows] @ middle
    names = () if vectors is None or vocabulary is None else called(rows, vectors, vocabulary, pool.classes)
    return NewClass(rows=rows[np.argsort(-alike, kind="stable")], alike=float(alike.mean()), names=names)


def called(
    rows: Int[np.ndarray, " k"], vectors: Float32[np.ndarray, "n a"], vocabulary: Vocabulary, taken: Sequence[str]
) -> tuple[tuple[str, float], ...]:
    """Three names for some of the items and their scores: cosine to their middle, less the mean cosine to all items."""
    items, texts = normalize(vectors - vectors.mean(axis=0)), normalize(vocabulary.vectors - vocabulary.vectors.mean(axis=0))
    middle = normalize(items[rows].mean(axis=0, keepdims=True))[0]
    scores = texts @ middle - texts @ items.mean(axis=0)
    known = {one.casefold() for one in taken}
    free = [place for place in np.argsort(-scores, kind="stable") if vocabulary.texts[place].casefold() not in known]
    return tuple((vocabulary.texts[place], float(scores[place])) for place in free[:NAMES])
