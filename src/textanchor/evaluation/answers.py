"""What each held-out item is taken for: its first text, and how far its own text lies from that."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Float, Int

from textanchor.metrics.retrieval import CELLS
from textanchor.records import PairedLatents
from textanchor.space import TEXT, Geometry


@dataclass(frozen=True, kw_only=True)
class Answers:
    """For each item of `pairs`, rows of the best of its own and of the other texts, their scores, and the rank of its own (0 is
    first). A tie counts against the item, as in recall@1. -1 and -inf stand where there is no other text.
    """

    pairs: PairedLatents
    own: Int[np.ndarray, " n"]
    other: Int[np.ndarray, " n"]
    own_score: Float[np.ndarray, " n"]
    other_score: Float[np.ndarray, " n"]
    rank: Int[np.ndarray, " n"]

    @cached_property
    def first(self) -> Int[np.ndarray, " n"]:
        """The text that each item finds first."""
        return np.where(self.rank > 0, self.other, self.own)

    def worst(self, count: int) -> list[int]:
        """Rows of the items whose first text is wrong, furthest below it first."""
        order = np.argsort(self.own_score - self.other_score, kind="stable")[:count]
        return [int(row) for row in order if self.rank[row] > 0]


def answers(geometry: Geometry, pairs: PairedLatents) -> Answers:
    """Rank the pairs' texts for each of their items."""
    to_texts = geometry.between(pairs.modality, TEXT)
    queries = to_texts.query(geometry.project(pairs.modality, pairs.inputs))
    gallery = to_texts.gallery(pairs.anchors)
    found: list[tuple[np.ndarray, ...]] = []
    step = max(1, CELLS // max(1, len(gallery)))
    for start in range(0, len(queries), step):
        mask = pairs.relevant[start : start + step].toarray().astype(bool)
        score = queries[start : start + step] @ gallery.T
        mine, others = np.where(mask, score, -np.inf), np.where(mask, -np.inf, score)
        best = mine.max(axis=1, keepdims=True)
        other = np.where(mask.all(axis=1), -1, others.argmax(axis=1))
        found.append((mine.argmax(axis=1), other, best[:, 0], others.max(axis=1), (others >= best).sum(axis=1)))
    own, other, own_score, other_score, rank = (np.concatenate(column) for column in zip(*found, strict=True))
    return Answers(pairs=pairs, own=own, other=other, own_score=own_score, other_score=other_score, rank=rank)


@dataclass(frozen=True, kw_only=True)
class Class:
    """One text as a class: its items, how many are named rightly, and what the others are taken for, with counts."""

    name: str
    items: int
    taken_for: Counter[str]

    @property
    def right(self) -> int:
        """Items that find their own text first."""
        return self.taken_for[self.name]

    @property
    def share(self) -> float:
        """Recall of the class."""
        return self.right / self.items


def classes(answers: Answers) -> tuple[Class, ...]:
    """Texts as classes, in the pairs' order; empty unless each item has one text, and a text some items: 1.5 on average."""
    pairs = answers.pairs
    if len(pairs.edges) != len(pairs.items) or len(pairs.texts) < 2 or 3 * len(pairs.texts) > 2 * len(pairs.items):
        return ()
    taken: list[Counter[str]] = [Counter() for _ in pairs.texts]
    for own, first in zip(pairs.first_text.tolist(), answers.first.tolist(), strict=True):
        taken[own][pairs.texts[first]] += 1
    return tuple(Class(name=name, items=own.total(), taken_for=own) for name, own in zip(pairs.texts, taken, strict=True))


def confusions(found: tuple[Class, ...]) -> list[tuple[int, Class, str]]:
    """How many items of which class are taken for which other, most first."""
    pairs = [(count, one, name) for one in found for name, count in one.taken_for.items() if name != one.name]
    return sorted(pairs, key=lambda pair: -pair[0])
