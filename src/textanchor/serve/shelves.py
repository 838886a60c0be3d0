"""The collections that a server searches, by name. What holds their vectors is known here and nowhere else in the server."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from textanchor.collections import Index, build_index, search
from textanchor.errors import InputError
from textanchor.records import Hit, Vectors
from textanchor.space import Space


@dataclass(frozen=True)
class Shelf:
    """One collection under the name that clients use."""

    name: str
    space: Space
    index: Index

    @property
    def counts(self) -> Mapping[str, int]:
        """Items by modality."""
        kinds = [item.modality for item in self.index.items]
        return {kind: kinds.count(kind) for kind in dict.fromkeys(kinds)}

    def nearest(self, vector: Vectors, query_modality: str, *, k: int, modality: str | None) -> list[Hit]:
        """The k items nearest to a raw vector [d]. Raises `InputError` for a modality that is not there."""
        asked: Any = vector[None]  # several queries, so that a series of one channel is not meant
        found: Any = search(self.space, asked, self.index, k=k, modality=modality, query_modality=query_modality)
        return list(found[0])


def open_shelves(space: Space, places: Sequence[str]) -> dict[str, Shelf]:
    """Shelves from `NAME=PLACE`, or `PLACE` whose last part is the name. Raises `InputError` for one name twice."""
    shelves: dict[str, Shelf] = {}
    for told in places:
        name, equals, place = told.partition("=")
        if not equals:
            place, name = told, told.rstrip("/\\").replace("\\", "/").rsplit("/", 1)[-1].partition(".")[0]
        if not name or not place:
            raise InputError(f"'{told}' is not of the form NAME=PLACE, a folder or a table")
        if name in shelves:
            raise InputError(f"two collections are called '{name}'; name them: --collection NAME=PLACE")
        shelves[name] = Shelf(name, space, build_index(space, place))
    return shelves
