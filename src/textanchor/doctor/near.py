"""Items that are nearly the same: all pairs of a few, and of many those that random hyperplanes bring together."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Bool, Float32, Int
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from sklearn.preprocessing import normalize

from textanchor.doctor.hyperplanes import Rows, beside
from textanchor.records import PairedLatents, Vectors

NEAR = 0.98  # cosine of centred latents
ALIKE = 0.999  # what is left by saving again with a small loss, and by little else
BLOCK = 1024
EXACT = 20_000  # items up to which every pair is compared

Links = tuple[Rows, Rows]  # either end


@dataclass(frozen=True, kw_only=True)
class Near:
    """How many pairs of items of different groups are nearly the same, how many of them between sides, and one such pair.

    `alike` are those between sides with a cosine of at least .999. `groups` are the items' groups and `labels` [n] what a chain
    of near-duplicates joins. Not `exact`: the pairs were sought by random hyperplanes, which miss a few.
    """

    pairs: int
    across: int
    example: tuple[str, str]
    groups: tuple[str, ...]
    labels: Int[np.ndarray, " n"]
    alike: int = 0
    exact: bool = True


def near(sides: Mapping[str, PairedLatents], *, same: Mapping[str, str] | None = None, seed: int = 0) -> Near:
    """Items whose centred latents have a cosine of at least .98, among all sides; items of one group or content left out.

    `same` names by id what items hold that is the same for copies, such as a hash of their decoded content.
    """
    table = _Table(list(sides.values()), same or {})
    exact = table.size <= EXACT
    labels = np.arange(table.size)
    pairs, across, alike, example = 0, 0, 0, ("", "")
    for left, right in _compared(table) if exact else _sought(table, seed):
        apart = np.flatnonzero(table.side[left] != table.side[right])
        if len(apart) or not pairs:
            shown = apart[-1] if len(apart) else 0
            example = table.id(int(left[shown])), table.id(int(right[shown]))
        pairs, across = pairs + len(left), across + len(apart)
        alike += table.count(left[apart], right[apart], ALIKE)
        labels = components(labels[left], labels[right], table.size)[labels]
    groups = tuple(group for own in table.sides for group in own.groups)
    return Near(pairs=pairs, across=across, example=example, groups=groups, labels=labels, alike=alike, exact=exact)


def components(left: Rows, right: Rows, count: int) -> Int[np.ndarray, " n"]:
    """The component of each of `count` nodes, given links between them."""
    links = coo_array((np.ones(len(left)), (left, right)), shape=(count, count))
    return np.asarray(connected_components(links, directed=False)[1])


class _Table:
    """Items of all sides, one after another; their vectors stay where they are."""

    def __init__(self, sides: Sequence[PairedLatents], same: Mapping[str, str]) -> None:
        self.sides = sides
        self.starts = np.cumsum([0, *(len(own.items) for own in sides)])
        self.size = int(self.starts[-1])
        self.side = np.repeat(np.arange(len(sides), dtype=np.int8), np.diff(self.starts))
        self.content = _coded(
            same.get(name, content) for own in sides for name, content in zip(own.items.ids, own.items.contents, strict=True)
        )
        self.group = _coded(group for own in sides for group in own.groups)

    @cached_property
    def mean(self) -> Float32[np.ndarray, " d"]:
        """Mean latent."""
        total = sum(chunk.sum(axis=0, dtype=np.float64) for chunk in self.chunks())
        return np.asarray(total / self.size, dtype=np.float32)

    def count(self, left: Rows, right: Rows, least: float) -> int:
        """How many links have at least such a cosine."""
        return sum(
            int((self.cosines(left[start : start + BLOCK], right[start : start + BLOCK]) >= least).sum())
            for start in range(0, len(left), BLOCK)
        )

    def cosines(self, left: Rows, right: Rows) -> Float32[np.ndarray, " m"]:
        """Cosines of centred latents."""
        ends = (normalize(self.vectors(rows) - self.mean) for rows in (left, right))
        return np.asarray(np.einsum("md,md->m", *ends))

    def id(self, row: int) -> str:
        """What an item is called."""
        side = int(self.side[row])
        return self.sides[side].items.ids[row - int(self.starts[side])]

    def vectors(self, rows: Rows) -> Vectors:
        """Latents of some items. *Shape:* [m, d]."""
        taken = np.empty((len(rows), self.sides[0].means.shape[1]), dtype=np.float32)
        for place, own in enumerate(self.sides):
            here = self.side[rows] == place
            taken[here] = own.means[rows[here] - self.starts[place]]
        return taken

    def chunks(self) -> Iterator[Vectors]:
        """Latents of all items in order, a few thousand at a time."""
        for own in self.sides:
            for start in range(0, len(own.items), BLOCK):
                yield own.means[start : start + BLOCK]

    def differ(self, left: Rows, right: Rows) -> Bool[np.ndarray, " m"]:
        """Which links join neither one content nor one group."""
        return np.asarray((self.content[left] != self.content[right]) & (self.group[left] != self.group[right]))


def _compared(table: _Table) -> Iterator[Links]:
    """Every pair, a block of rows at a time."""
    vectors = np.concatenate([own.means for own in table.sides])
    vectors = normalize(vectors - vectors.mean(axis=0))
    for start in range(0, len(vectors), BLOCK):
        rows, columns = np.nonzero(vectors[start : start + BLOCK] @ vectors.T >= NEAR)
        upper = rows + start < columns
        left, right = rows[upper] + start, columns[upper]
        kept = table.differ(left, right)
        if kept.any():
            yield left[kept], right[kept]


def _sought(table: _Table, seed: int) -> Iterator[Links]:
    """Pairs that random hyperplanes bring together and whose cosine is as high as it must be."""

    def confirm(left: Rows, right: Rows) -> Bool[np.ndarray, " m"]:
        confirmed = table.differ(left, right)
        for start in range(0, len(left), BLOCK):
            rows = start + np.flatnonzero(confirmed[start : start + BLOCK])
            confirmed[rows] = table.cosines(left[rows], right[rows]) >= NEAR
        return confirmed

    left, right = beside((chunk - table.mean for chunk in table.chunks()), NEAR, confirm, seed=seed)
    if len(left):
        yield left, right


def _coded(names: Iterator[Hashable]) -> Int[np.ndarray, " n"]:
    """A number for each distinct name."""
    codes: dict[Hashable, int] = {}
    return np.fromiter((codes.setdefault(name, len(codes)) for name in names), dtype=np.int64)
