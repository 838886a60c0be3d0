"""What a space gives back for items."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Shaped

from textanchor.errors import InputError
from textanchor.records import Item, Skipped, Vectors


@dataclass(frozen=True, kw_only=True, repr=False)
class Embedded:
    """Raw vectors of the items that could be embedded, in the order given, and those that could not."""

    items: tuple[Item, ...]
    vectors: Vectors
    contents: tuple[str, ...]
    skipped: tuple[Skipped, ...]
    cached: int = 0
    new: int = 0

    def __repr__(self) -> str:
        return f"Embedded({len(self.items)} items, vectors {list(self.vectors.shape)}, {len(self.skipped)} skipped)"


def gathered(items: Sequence[Item], chunks: Iterable[Embedded]) -> Embedded:
    """Chunks of any order as one, in the order of the items; what is in no chunk is left out."""
    vectors: Vectors = np.empty((0, 0), dtype=np.float32)
    rows: dict[str, int] = {}
    contents: list[str] = []
    skipped: list[Skipped] = []
    for chunk in chunks:
        if not len(vectors):  # all at once: a vector each and a sum of them would be twice the memory
            vectors = np.empty((len(items), chunk.vectors.shape[1]), dtype=np.float32)
        vectors[len(contents) : len(contents) + len(chunk.items)] = chunk.vectors
        rows.update({item.id: len(contents) + place for place, item in enumerate(chunk.items)})
        contents += chunk.contents
        skipped += chunk.skipped
    kept = tuple(item for item in items if item.id in rows)
    order = [rows[item.id] for item in kept]
    in_order = order == list(range(len(order)))
    return Embedded(
        items=kept,
        vectors=vectors[: len(order)] if in_order else vectors[order],
        contents=tuple(contents[row] for row in order),
        skipped=tuple(skipped),
    )


def interleaved(parts: Mapping[str, Vectors], kinds: Shaped[np.ndarray, " n"], compared_with: str) -> Vectors:
    """Each modality's vectors in the rows that are of it. Raises `InputError` where they differ in length."""
    widths = {name: part.shape[1] for name, part in parts.items()}
    if len(set(widths.values())) > 1:
        told = ", ".join(f"{name} in {width}" for name, width in widths.items())
        raise InputError(f"compared with {compared_with}, dimensions differ: {told}; embed one modality at a time")
    vectors = np.zeros((len(kinds), max(widths.values())), dtype=np.float32)
    for name, part in parts.items():
        vectors[kinds == name] = part
    return vectors
