"""Items to be labelled, as numbers, and what is known of their labels."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TypeAlias

import numpy as np
from jaxtyping import Bool, Float32, Int

from textanchor.labelling.neighbours import Neighbours, neighbours, smoothed
from textanchor.views import unit

Rows: TypeAlias = Int[np.ndarray, " m"]
Probabilities: TypeAlias = Float32[np.ndarray, "n c"]


@dataclass(frozen=True, kw_only=True)
class Features:
    """One sight of all items, such as their pictures or a video's sound; items that lack it are zero and not `present`.

    `leaning` are the values smoothed among other items than these; None where it was among these.
    """

    name: str
    values: Float32[np.ndarray, "n d"]
    present: Bool[np.ndarray, " n"]
    leaning: Float32[np.ndarray, "n d"] | None = None

    @cached_property
    def seen(self) -> Features:
        """Only of the items that have it."""
        return self if self.present.all() else self.taken(np.flatnonzero(self.present))

    @cached_property
    def neighbours(self) -> Neighbours:
        """Who is near whom, of the items that have it."""
        return neighbours(self.values) if self.seen is self else self.seen.neighbours

    @cached_property
    def smoothed(self) -> Float32[np.ndarray, "n d"]:
        """The values, each leaning on its neighbours; zero where not present."""
        if self.leaning is not None:
            return self.leaning
        if self.seen is self:
            return smoothed(self.values, self.neighbours)
        found = np.zeros_like(self.values)
        found[self.present] = self.seen.smoothed
        return found

    def taken(self, rows: Rows, *, among_all: bool = False) -> Features:
        """Of some of the items. With `among_all` they lean on the neighbours that they have now, else on those they keep."""
        leaning = self.smoothed[rows] if among_all or self.leaning is not None else None
        return replace(self, values=self.values[rows], present=self.present[rows], leaning=leaning)


@dataclass(frozen=True, kw_only=True)
class Pool:
    """All items of a labelling task, labelled and not.

    `by_names` [n, c] are probabilities from the classes' names alone, rows that sum to 1, or are NaN where nothing is known;
    None without names. `groups` [n] numbers what items share, such as a speaker, and `contents` [n] equal contents. `texts`
    [c, a] are the anchor's vectors of the classes' names: they say which classes resemble each other, and need no space.
    """

    features: tuple[Features, ...]
    classes: tuple[str, ...]
    groups: Int[np.ndarray, " n"]
    contents: Int[np.ndarray, " n"]
    by_names: Probabilities | None = None
    texts: Float32[np.ndarray, "c a"] | None = None

    def __len__(self) -> int:
        return len(self.groups)

    @cached_property
    def units(self) -> Rows:
        """What may not stand on two sides of a split: an item's group where there are groups, else its content."""
        return self.groups if self.grouped else self.contents

    def taken(self, rows: Rows, *, among_all: bool = False) -> Pool:
        """Some of the items; `among_all` as for features."""
        features = tuple(one.taken(rows, among_all=among_all) for one in self.features)
        names = None if self.by_names is None else self.by_names[rows]
        return replace(self, features=features, groups=self.groups[rows], contents=self.contents[rows], by_names=names)

    @cached_property
    def grouped(self) -> bool:
        """Whether any two items of different contents share a group."""
        seen = np.unique(np.stack([self.groups, self.contents]), axis=1)
        return len(np.unique(seen[0])) < seen.shape[1]

    @cached_property
    def places(self) -> Float32[np.ndarray, "n d"]:
        """Where each item lies, by all its features side by side; of unit length, or zero where it has none."""
        return unit(np.concatenate([one.values for one in self.features], axis=1))


@dataclass(frozen=True, kw_only=True)
class Labelled:
    """Rows of a pool that a person has labelled, and their classes. `drawn` are those that were drawn at random, which alone
    say how often a proposal is wrong."""

    rows: Rows
    classes: Rows
    drawn: Bool[np.ndarray, " m"]

    def __len__(self) -> int:
        return len(self.rows)

    def taken(self, which: Int[np.ndarray, " k"] | Bool[np.ndarray, " m"]) -> Labelled:
        """Some of them."""
        return Labelled(rows=self.rows[which], classes=self.classes[which], drawn=self.drawn[which])
