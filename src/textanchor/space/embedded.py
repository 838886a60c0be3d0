"""What a space gives back for items."""

from __future__ import annotations

from dataclasses import dataclass

from textanchor.records import Item, Skipped, Vectors


@dataclass(frozen=True, kw_only=True)
class Embedded:
    """Raw vectors of the items that could be embedded, in the order given, and those that could not."""

    items: tuple[Item, ...]
    vectors: Vectors
    contents: tuple[str, ...]
    skipped: tuple[Skipped, ...]
    cached: int = 0
    new: int = 0
