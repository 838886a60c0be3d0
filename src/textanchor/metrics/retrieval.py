"""Ranking metrics of one set of queries against one gallery."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Float32, Int
from scipy.sparse import csr_array

from textanchor.records.showing import short

CELLS, DEPTH = 1 << 24, 10  # at most so many scores are held at once
Relevant = Callable[[slice], Bool[np.ndarray, "q g"]]


@dataclass(frozen=True, kw_only=True)
class Retrieval:
    """Figures over the queries that have at least one relevant item in the gallery.

    `rank` holds, per query, how many irrelevant gallery items score at least as high as the best relevant one (0 is best);
    `precision` its average precision at 10, divided by min(10, relevant), `relevant` how many of the gallery are. `rows` are
    those queries' rows.
    """

    __repr__ = short

    rank: Int[np.ndarray, " q"]
    precision: Float[np.ndarray, " q"]
    relevant: Int[np.ndarray, " q"]
    rows: Int[np.ndarray, " q"]
    gallery: int
    constant: float
    """Recall@1 of who always answers the one gallery item that most queries look for: of class names, the largest class."""

    def recall(self, k: int) -> float | None:
        """Share of queries with a relevant hit in the top k; None where k reaches the gallery's size or no query counts."""
        return float((self.rank < k).mean()) if k < self.gallery and len(self.rank) else None

    @property
    def chance(self) -> float:
        """Expected recall@1 of a random ranking."""
        return by_chance(self.relevant, self.gallery, 1)

    @property
    def mean_average_precision(self) -> float | None:
        """mAP@10; None if no query counts."""
        return float(self.precision.mean()) if len(self.precision) else None

    @property
    def reciprocal_rank(self) -> float | None:
        """Mean of 1 / (1 + rank); None if no query counts."""
        return float((1 / (1 + self.rank)).mean()) if len(self.rank) else None

    def table(self, ks: Sequence[int] = (1, 5, 10)) -> Mapping[str, float | int | None]:
        """Plain figures, those that do not apply left out."""
        found = {f"R@{k}": self.recall(k) for k in ks} | {"mAP@10": self.mean_average_precision}
        kept = {name: value for name, value in found.items() if value is not None}
        beside = {"chance R@1": self.chance, "largest class R@1": self.constant}
        return {**kept, **beside, "queries": len(self.rank), "gallery size": self.gallery}


def retrieval(queries: Float32[np.ndarray, "q d"], gallery: Float32[np.ndarray, "g d"], relevant: Relevant) -> Retrieval:
    """Rank the gallery for each query by inner product; a tie counts against the relevant item.

    `relevant(rows)` gives the mask of a slice of queries. *Shape:* queries [q, d], gallery [g, d].
    """
    ranks, precisions, counts, rows = [], [], [], []
    sought = np.zeros(len(gallery), dtype=np.int64)
    step = max(1, CELLS // max(1, len(gallery)))
    for start in range(0, len(queries), step):
        part = slice(start, min(start + step, len(queries)))
        mask = relevant(part)
        held = np.flatnonzero(mask.any(axis=1))
        mask, score = mask[held], queries[part][held] @ gallery.T
        best = np.where(mask, score, -np.inf).max(axis=1, keepdims=True, initial=-np.inf)
        ranks.append(((score >= best) & ~mask).sum(axis=1))
        precisions.append(_average_precision(score, mask))
        counts.append(mask.sum(axis=1))
        rows.append(held + start)
        sought += mask.sum(axis=0)
    row = np.concatenate(rows) if rows else np.empty(0, dtype=np.int64)
    return Retrieval(
        rank=np.concatenate(ranks) if ranks else row,
        precision=np.concatenate(precisions) if precisions else row.astype(np.float64),
        relevant=np.concatenate(counts) if counts else row,
        rows=row,
        gallery=len(gallery),
        constant=float(sought.max(initial=0)) / max(len(row), 1),
    )


def by_chance(relevant: Int[np.ndarray, " q"], gallery: int, k: int) -> float:
    """Expected recall@k of a random ranking, mean over queries: one minus the hypergeometric chance of nothing relevant."""
    none = np.ones(len(relevant))
    for drawn in range(min(k, gallery)):
        none *= np.clip(1 - relevant / (gallery - drawn), 0, None)
    return float((1 - none).mean()) if len(relevant) else 0.0


def rows_of(mask: csr_array) -> Relevant:
    """Slices of a sparse mask [queries, gallery]."""
    return lambda part: mask[part].toarray()


def _average_precision(score: Float[np.ndarray, "q g"], mask: Bool[np.ndarray, "q g"]) -> Float[np.ndarray, " q"]:
    depth = min(DEPTH, score.shape[1])
    keyed = np.where(mask, np.nextafter(score, -np.inf, dtype=score.dtype), score)  # a tie counts against the relevant item
    top = np.argpartition(-keyed, depth - 1, axis=1)[:, :depth]
    top = np.take_along_axis(top, np.argsort(-np.take_along_axis(keyed, top, 1), axis=1, kind="stable"), 1)
    hit = np.take_along_axis(mask, top, 1)
    precision = hit.cumsum(axis=1) / np.arange(1, depth + 1)
    return np.asarray((precision * hit).sum(axis=1) / np.clip(mask.sum(axis=1), 1, DEPTH), dtype=np.float64)
