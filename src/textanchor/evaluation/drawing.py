"""The map as the template draws it: dots, names and small pictures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from textanchor.evaluation.map import TextMap
from textanchor.pages import Album
from textanchor.records import Item

WIDTH, HEIGHT, EDGE = 1000, 600, (72, 44)
SIDE, SPOTS, COLOURS = 46, 80, 30
LETTER, LINE = 9, 18  # a letter's width and a line's height
SHAPES = {  # about 10 units wide, around 0; by the letter that looks like it
    "●": "M-5 0a5 5 0 1 0 10 0a5 5 0 1 0-10 0z",
    "▲": "M0-6.5 6 4.5-6 4.5z",
    "■": "M-4.5-4.5h9v9h-9z",
    "◆": "M0-6.5 6.5 0 0 6.5-6.5 0z",
    "✚": "M-2-6h4v4h4v4h-4v4h-4v-4h-4v-4h4z",
    "▼": "M0 6.5-6-4.5 6-4.5z",
}


@dataclass(frozen=True, kw_only=True)
class Dot:
    """A place on the map, and what stands there."""

    x: float
    y: float
    colour: str
    shape: int
    title: str


@dataclass(frozen=True, kw_only=True)
class Spot:
    """A name, a picture or a picture with its name on the map, around a place; empty is what there is not."""

    x: float
    y: float
    title: str
    name: str = ""
    picture: str = ""

    def hides(self, other: Spot) -> bool:
        """Whether the two would lie on each other."""
        (width, height), (wide, high) = self._size(), other._size()
        return abs(self.x - other.x) < (width + wide) / 2 and abs(self.y - other.y) < (height + high) / 2

    def _size(self) -> tuple[float, float]:
        letters = LETTER * len(self.name)
        return (max(SIDE, letters), SIDE + (LINE if letters else 2)) if self.picture else (letters, LINE)


@dataclass(frozen=True, kw_only=True)
class Drawn:
    """All of the map. `shapes` are SVG paths, `kinds` the modalities with the letters that look like their shapes; `below` says
    that names stand below their places, where there is little else to see.
    """

    dots: list[Dot]
    spots: list[Spot]
    coloured: bool
    below: bool
    shapes: list[str]
    kinds: Mapping[str, str]


def drawn(known: TextMap, items: Mapping[str, Item], album: Album) -> Drawn:
    """Dots coloured by text and shaped by modality, and where there is room the names of texts where most of their items lie.

    Where texts are too many for colours, pictures of items stand with the names; alone where hardly two items share a text.
    """
    low, high = known.points.min(axis=0), known.points.max(axis=0)
    size = np.array([WIDTH, HEIGHT]) - 2 * np.array(EDGE)
    places = np.round(EDGE + (known.points - low) / np.maximum(high - low, 1e-9) * size, 1)
    kinds = list(dict.fromkeys(known.modalities))
    texts, codes, uses = np.unique(np.asarray(known.labels, dtype=object).astype(str), return_inverse=True, return_counts=True)
    shared = 3 * len(texts) <= 2 * len(codes)
    titles = [f"{label[:100]} ({name[-100:]})" for label, name in zip(known.labels, known.ids, strict=True)]
    dots = [
        Dot(
            x=x,
            y=y,
            colour=f"hsl({137.5 * code % 360:.0f} 65% 52%)" if shared else "rgb(var(--main))",
            shape=kinds.index(kind) % len(SHAPES),
            title=title,
        )
        for (x, y), code, kind, title in zip(places.tolist(), codes, known.modalities, titles, strict=True)
    ]
    middles = [_middle(places, codes == code) for code in np.argsort(-uses, kind="stable")] if shared else range(len(codes))
    pictured = len(texts) > COLOURS
    spots: list[Spot] = []
    for row in middles:
        x, y = places[row].tolist()
        item = items.get(known.ids[row]) if pictured else None
        name = _short(known.labels[row]) if shared else ""
        # measured before it is decoded: most have no room
        spot = Spot(x=x, y=y, title=titles[row], name=name, picture="here" if item else "")
        if len(spots) < SPOTS and not any(spot.hides(one) for one in spots):
            seen = replace(spot, picture=album.thumbnail(item, side=2 * SIDE) if item else "")
            spots += [seen] if seen.picture or seen.name else []
    letters = dict(zip(kinds, list(SHAPES) * len(kinds), strict=False))
    return Drawn(dots=dots, spots=spots, coloured=shared, below=pictured, shapes=list(SHAPES.values()), kinds=letters)


def _middle(places: np.ndarray, mine: np.ndarray) -> int:
    """The row of the item that lies nearest to all others of its text."""
    own = places[mine]
    return int(np.flatnonzero(mine)[np.linalg.norm(own[:, None] - own[None], axis=2).sum(axis=1).argmin()])


def _short(name: str) -> str:
    return name if len(name) <= 24 else f"{name[:23]}…"
