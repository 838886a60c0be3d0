"""What an index searches: items and raw vectors by modality, at numbered places, in memory or in a collection's files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np

from textanchor.collections.asking.filters import Filter
from textanchor.collections.backends.protocol import Backend, Rows, make_backend
from textanchor.records import Item, Vectors
from textanchor.records.items import Field
from textanchor.space import Comparison


class Holding(Protocol):
    """Each modality's items at places numbered from 0; some places may be empty."""

    @property
    def modalities(self) -> tuple[str, ...]:
        """Those of which there is an item."""

    def count(self, modality: str) -> int:
        """Items that can be found."""

    def raw(self, modality: str) -> Vectors:
        """Raw vectors, a row a place."""

    def items(self, modality: str, places: Sequence[int]) -> list[Item]:
        """The items at some places."""

    def find(self, name: str) -> tuple[tuple[str, int], ...]:
        """Modalities and places of the items of that id."""

    def content(self, modality: str, place: int) -> str:
        """The hash of an item's content."""

    def filled(self, modality: str) -> Rows:
        """All places that are not empty."""

    def places(self, modality: str, where: Filter) -> Rows:
        """Where items stand that pass a filter."""

    @property
    def fields(self) -> frozenset[str]:
        """Names of the fields that some item has."""

    def among(self, modality: str, rows: Rows) -> Rows:
        """Where a modality's items stand of which the rows among all items are given. Raises `InputError` where rows change."""

    def gallery(self, comparison: Comparison) -> Vectors:
        """Vectors of the modality that is asked, as they are compared, a row a place."""

    def backend(self, comparison: Comparison, spec: str) -> Backend:
        """What finds the nearest places under a comparison, filled with all items of the modality that is asked."""


@dataclass(frozen=True, kw_only=True, eq=False)
class InMemory:
    """Items with their raw vectors and contents, of any modalities; a place is a number among those of its modality."""

    all_items: tuple[Item, ...]
    vectors: Vectors
    contents: tuple[str, ...] = ()

    @cached_property
    def modalities(self) -> tuple[str, ...]:
        """In order of first appearance."""
        return tuple(self.rows)

    @cached_property
    def rows(self) -> dict[str, Rows]:
        """Where each modality's items stand among all."""
        rows: dict[str, list[int]] = {}
        for row, item in enumerate(self.all_items):
            rows.setdefault(item.modality, []).append(row)
        return {modality: np.array(own, dtype=np.int64) for modality, own in rows.items()}

    @cached_property
    def _raw(self) -> dict[str, Vectors]:
        """Copied once where there are several modalities, and not at all where there is one."""
        return {kind: self.vectors if len(self.rows) == 1 else self.vectors[rows] for kind, rows in self.rows.items()}

    def count(self, modality: str) -> int:
        """Items of a modality."""
        return len(self.rows[modality])

    def raw(self, modality: str) -> Vectors:
        """*Shape:* [places, d]."""
        return self._raw[modality]

    def items(self, modality: str, places: Sequence[int]) -> list[Item]:
        """The items at some places."""
        return [self.all_items[self.rows[modality][place]] for place in places]

    def find(self, name: str) -> tuple[tuple[str, int], ...]:
        """One at most of each modality."""
        places = ((kind, place, row) for kind, rows in self.rows.items() for place, row in enumerate(rows))
        return tuple((kind, place) for kind, place, row in places if self.all_items[row].id == name)

    def content(self, modality: str, place: int) -> str:
        """ "" where it is not known."""
        row = self.rows[modality][place]
        return self.contents[row] if self.contents else ""

    def places(self, modality: str, where: Filter) -> Rows:
        """Where items stand that pass a filter."""
        own = self.items(modality, range(self.count(modality)))
        return np.array([place for place, item in enumerate(own) if where.matches(fields_of(item))], dtype=np.int64)

    @cached_property
    def fields(self) -> frozenset[str]:
        """Of any item."""
        return frozenset(name for item in self.all_items for name in item.fields)

    def filled(self, modality: str) -> Rows:
        """All of them."""
        return np.arange(self.count(modality))

    def among(self, modality: str, rows: Rows) -> Rows:
        """The places of some rows."""
        return np.flatnonzero(np.isin(self.rows[modality], rows))

    def gallery(self, comparison: Comparison) -> Vectors:
        """Mapped anew."""
        return comparison.gallery(self.raw(comparison.asked))

    def backend(self, comparison: Comparison, spec: str) -> Backend:
        """Built anew."""
        found = make_backend(spec)
        found.build(self.gallery(comparison))
        return found


def fields_of(item: Item) -> Mapping[str, Field | None]:
    """What a filter may ask of it."""
    return {**item.fields, "id": item.id, "modality": item.modality, "path": None if item.path is None else str(item.path)}
