"""A labelling project as something to search, by the vectors that it keeps of its items."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import replace
from pathlib import Path

import numpy as np

from textanchor.collections import Index
from textanchor.collections.holding import InMemory
from textanchor.collections.taking import own_modality
from textanchor.escaping import written_back
from textanchor.files import located
from textanchor.labelling.project.sourcing import origins
from textanchor.records import Item
from textanchor.serve.shelves import Shelf
from textanchor.space import Space
from textanchor.studio.sources import Labelling, Shelved


def searchable(source: Labelling, id: str, space: Space | None, there: Container[Path]) -> Shelved | None:
    """The project's items as they are when the studio begins.

    None where it keeps no vectors of this space, or where all its places are `there` to be searched themselves.
    """
    project = source.project
    kept = project.vectors() if space is not None and _of(source, space) else None
    if (
        space is None
        or kept is None
        or all(located(written_back(one.place)).absolute() in there for one in origins(project.database))
    ):
        return None
    known, ids = {one.id: one.item for one in project.entries()}, project.overview().ids
    rows = np.flatnonzero(np.abs(kept).max(axis=1) > 0)
    if not len(rows):
        return None
    holding = InMemory(all_items=tuple(_meant(space, known[ids[row]]) for row in rows), vectors=kept[rows])
    shelf = Shelf(source.name, space, project.file, Index(geometry=space.geometry, holding=holding))
    return Shelved(id, shelf, source.roots)


def _meant(space: Space, item: Item) -> Item:
    """As what its vector was made: a document is a text to a space that never fitted documents."""
    return replace(item, modality=own_modality(space, item.modality) or item.modality)


def _of(source: Labelling, space: Space) -> bool:
    """Whether the project was begun with this space."""
    begun = source.project.space
    return bool(begun) and space.place is not None and located(begun).absolute() == located(space.place).absolute()
