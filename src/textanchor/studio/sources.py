"""What is looked at in the studio: collections and labelling projects, each of whose items has a key."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from textanchor.collections import Collection, Index
from textanchor.errors import InputError
from textanchor.labelling.project import Entry, Project
from textanchor.labelling.project.sourcing import roots, roots_of
from textanchor.records import Item
from textanchor.runtime import Reading
from textanchor.serve.shelves import Shelf
from textanchor.studio.showing import keys


class Source(Protocol):
    """Something with items."""

    @property
    def id(self) -> str:
        """Its short name in addresses."""

    @property
    def name(self) -> str:
        """What people call it."""

    @property
    def roots(self) -> tuple[Path, ...]:
        """Folders whose files may be shown."""

    def item(self, key: str) -> Item:
        """The item of a key. Raises `Refusal` (404) where there is none, or another."""

    def public_id(self, name: str) -> str:
        """An item's name without the folders above its source, which are this machine's own business."""


@dataclass(frozen=True)
class Shelved:
    """A collection, or an index made when the studio began; `allowed` are further folders whose files may be shown."""

    id: str
    shelf: Shelf
    allowed: tuple[Path, ...] = ()

    @property
    def name(self) -> str:
        """That of the shelf."""
        return self.shelf.name

    @property
    def index(self) -> Index:
        """As it stands now."""
        held = self.shelf.held
        return held.index(self.shelf.space) if isinstance(held, Collection) else held

    @property
    def roots(self) -> tuple[Path, ...]:
        """The collection's places: a folder, or a file and, of a table, the folder in which its paths begin."""
        held = self.shelf.held
        places = held.places if isinstance(held, Collection) else {str(self.shelf.place): Reading()}
        return (*self.allowed, *(root for place, reading in places.items() for root in roots_of(place, reading)))

    def key(self, modality: str, place: int, name: str) -> str:
        """The key of an item."""
        return keys.key_of(name, place, modality)

    def public_id(self, name: str) -> str:
        """Below the place that holds it."""
        return below(self.roots, name)

    def item(self, key: str) -> Item:
        """By its place among those of its modality."""
        place, modality = keys.place_in(key)
        holding = self.index.holding
        if modality not in holding.modalities or place >= len(holding.raw(modality)):
            raise keys.gone()
        try:
            (item,) = holding.items(modality, [place])
        except InputError:  # it was taken out meanwhile
            raise keys.gone() from None
        keys.check(key, item.id)
        return item


@dataclass(frozen=True)
class Labelling:
    """A labelling project; a key is an item's number in its file."""

    id: str
    project: Project
    allowed: tuple[Path, ...] = ()

    @property
    def name(self) -> str:
        """That of the file."""
        return self.project.file.stem

    @property
    def roots(self) -> tuple[Path, ...]:
        """The places of its sources, and of the collections among them."""
        return (*self.allowed, *(root for found in roots(self.project.database) for root in found))

    def key(self, number: int, name: str) -> str:
        """The key of an item."""
        return keys.key_of(name, number)

    def entry(self, key: str) -> Entry:
        """The item with what is known of it. Raises `Refusal` (404)."""
        number, _ = keys.place_in(key)
        found = self.project.entries(after=number - 1, limit=1)
        if not found or found[0].number != number:
            raise keys.gone()
        keys.check(key, found[0].id)
        return found[0]

    def item(self, key: str) -> Item:
        """By its number."""
        return self.entry(key).item

    def public_id(self, name: str) -> str:
        """Below the place that holds it."""
        return below(self.roots, name)


def below(roots: Sequence[Path], name: str) -> str:
    """An item's name as seen from the place that holds it."""
    path = Path(name)
    if not path.is_absolute():
        return name
    root = next((root for root in roots if path != root and path.is_relative_to(root)), None)
    return path.name if root is None else path.relative_to(root).as_posix()
