"""The collections that a server searches, by name. What holds their vectors is known here and nowhere else in the server."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from textanchor.collections import Collection, Index, Terms, search
from textanchor.collections.searching import indexed
from textanchor.collections.storing.schema import NAME
from textanchor.errors import InputError
from textanchor.escaping import writable
from textanchor.files import located
from textanchor.records import Hits, Skipped, Vectors
from textanchor.space import Space


@dataclass(frozen=True)
class Shelf:
    """One collection under the name that clients use: a folder that `collection` keeps, whose changes show at once, or an index
    made when the server began."""

    name: str
    space: Space
    place: Path
    held: Collection | Index

    @property
    def counts(self) -> Mapping[str, int]:
        """Items by modality."""
        if isinstance(self.held, Collection):
            return self.held.counts
        return {kind: self.held.holding.count(kind) for kind in self.held.modalities}

    @property
    def skipped(self) -> tuple[Skipped, ...]:
        """What could not be indexed."""
        return () if isinstance(self.held, Collection) else self.held.skipped

    def nearest(self, vector: Vectors, query_modality: str, terms: Terms) -> Hits:
        """The items nearest to a raw vector [d]. Raises `InputError` for a modality that is not there."""
        asked: Any = vector[None]  # several queries, so that a series of one channel is not meant
        found: Any = search(self.space, asked, self.held, terms=terms, query_modality=query_modality)
        hits: Hits = found[0]
        return hits

    def public_id(self, name: str) -> str:
        """An item's name without the place where the collection lies, which is the server's own business."""
        path = Path(name)
        if not path.is_absolute():
            return name
        inside = path.is_relative_to(self.place.absolute())
        return path.relative_to(self.place.absolute()).as_posix() if inside else path.name


def open_shelves(space: Space, places: Sequence[str]) -> dict[str, Shelf]:
    """Shelves from `NAME=PLACE`, or `PLACE` whose last part is the name. Raises `InputError` for one name twice, and what
    `build_index` raises."""
    shelves: dict[str, Shelf] = {}
    for told in places:
        name, equals, place = told.partition("=")
        if not equals or located(told).exists():
            name, place = located(told).resolve().stem, told
        if not name or not place:
            raise InputError(f"'{told}' is not of the form NAME=PLACE: a collection, a folder or a table")
        if name in shelves:
            raise InputError(f"two collections are called '{name}'; name them: --collection NAME=PLACE")
        shelves[name] = Shelf(writable(name), space, located(place), _opened(space, place))
    return shelves


def _opened(space: Space, place: str) -> Collection | Index:
    if not (located(place) / NAME).is_file():
        return indexed(space, place)
    kept = Collection(place)
    kept.index(space)  # which says now if it holds no vectors of this space
    return kept
