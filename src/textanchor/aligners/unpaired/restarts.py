"""Clusters of items matched to clusters of texts, on a random part of the data each time, and whether the answers agree."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float32, Float64, Int
from sklearn.cluster import KMeans

from textanchor.aligners.comparison import drawn
from textanchor.aligners.unpaired.assignment import assigned, similarities, unrelated
from textanchor.aligners.unpaired.candidates import Candidates
from textanchor.aligners.unpaired.soft_pairs import one_text_each
from textanchor.latents.paired_latents import representatives
from textanchor.records import PairedLatents, Pooled, Vectors
from textanchor.views import unit

ITEMS, TEXTS, SEEDS = 1500, 3000, 100  # items and texts of a part, and pairs that are partners beforehand, at most
ATTEMPTS = 5
EACH, FEW = 4, 4  # items a cluster at least; texts a cluster below which a part lacks a fifth of the texts and not half

Labels = Int[np.ndarray, " n"]


@dataclass(frozen=True, kw_only=True)
class Matched:
    """Pairs of centroids, each counting by its cluster's items, and the `likeness` of the two structures under them."""

    clusters: PairedLatents
    likeness: float


def cluster_count(known: Candidates, wanted: int) -> int:
    """Clusters of the items: at most one for each 4 of them, and for each text."""
    return min(wanted, len(known.items) // EACH, len(known.anchors))


def part(known: Candidates, clusters: int, rng: np.random.Generator) -> Candidates:
    """A random half of items and of texts, at most 1500 and 3000; of texts hardly more than clusters four fifths."""
    few = len(known.anchors) < FEW * clusters
    rows = drawn(len(known.items), min(ITEMS, max(len(known.items) // 2, EACH * clusters)), seed=rng)
    columns = drawn(len(known.anchors), min(TEXTS, round(len(known.anchors) * (0.8 if few else 0.5))), seed=rng)
    return replace(
        known,
        items=known.items.take(rows),
        groups=tuple(known.groups[row] for row in rows),
        anchors=known.anchors[columns],
        shares=known.shares[columns],
    )


def matched(
    known: Candidates, pairs: PairedLatents, clusters: int, rng: np.random.Generator, *, chance: bool = False
) -> Matched:
    """k-means on either side, then a quadratic assignment of the clusters in which the pairs are partners already; the most
    alike of 5 such attempts.

    With `chance` the items' clusters stand to each other at random, so that the answer cannot mean anything.
    """
    return max((_once(known, pairs, clusters, rng, chance) for _ in range(ATTEMPTS)), key=lambda one: one.likeness)


def agreement(answers: Sequence[Vectors]) -> Float64[np.ndarray, " r"]:
    """Of each answer the mean cosine with the others, item by item, all without their means: 1 where all are the same.

    *Shape:* [n, d] each, the same items in the same order -> [answers].
    """
    held = np.stack([unit(answer - answer.mean(axis=0)) for answer in answers])
    return np.asarray(((held * held.sum(axis=0)).sum(axis=2).mean(axis=1) - 1) / (len(held) - 1), dtype=np.float64)


def _once(known: Candidates, pairs: PairedLatents, clusters: int, rng: np.random.Generator, chance: bool) -> Matched:
    mine, theirs = (_labels(side, clusters, rng) for side in (known.items.vectors, known.anchors))
    left, right = _centroids(known.items.vectors, mine), _centroids(known.anchors, theirs)
    seeds = representatives(pairs, limit=SEEDS, classes=SEEDS) if len(pairs.items) else (left[:0], right[:0])
    near, there = (similarities(np.concatenate(side)) for side in zip(seeds, (left, right), strict=True))
    count = len(seeds[0])
    found = assigned(unrelated(near, rng) if chance else near, there, rng, known=count)
    partners = found.partners[count:]
    rows = np.flatnonzero(partners >= 0)
    sizes = np.bincount(mine)[rows]
    return Matched(clusters=_pairs(left[rows], right[partners[rows] - count], sizes, known, pairs), likeness=found.likeness)


def _labels(points: Vectors, clusters: int, rng: np.random.Generator) -> Labels:
    """The cluster of each point, numbered without gaps; each its own where there are no more different ones than clusters."""
    different, labels = np.unique(points, axis=0, return_inverse=True)
    if len(different) > clusters:
        labels = KMeans(clusters, n_init=1, random_state=int(rng.integers(2**31))).fit(points).labels_
    return np.unique(labels, return_inverse=True)[1].astype(np.int64)


def _centroids(points: Vectors, labels: Labels) -> Float32[np.ndarray, "k d"]:
    return np.stack([points[labels == label].mean(axis=0) for label in range(labels.max() + 1)])


def _pairs(
    items: Vectors, texts: Float32[np.ndarray, "_n k"], sizes: Labels, known: Candidates, like: PairedLatents
) -> PairedLatents:
    names = tuple(f"cluster {number}" for number in range(len(items)))
    centroids = Pooled(vectors=items, ids=names, contents=names, fingerprint=known.items.fingerprint)
    counts = (sizes / sizes.mean()).astype(np.float32)
    return one_text_each(centroids, texts, texts=names, groups=names, counts=counts, modality=like.modality)
