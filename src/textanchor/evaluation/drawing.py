"""The map as the template draws it: dots, names and small pictures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from textanchor.evaluation.map import TextMap
from textanchor.pages import Album
from textanchor.records import Item

WIDTH, HEIGHT, EDGE = 1000, 600, 30
SIDE, PICTURES, NAMES = 46, 70, 60
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
    """A name or a picture on the map, around a place."""

    x: float
    y: float
    text: str
    picture: str = ""


@dataclass(frozen=True, kw_only=True)
class Drawn:
    """All of the map; `shapes` are SVG paths, `kinds` the modalities with the letters that look like their shapes."""

    dots: list[Dot]
    names: list[Spot]
    pictures: list[Spot]
    shapes: list[str]
    kinds: Mapping[str, str]


def drawn(known: TextMap, items: Mapping[str, Item], album: Album) -> Drawn:
    """Dots coloured by text and shaped by modality, the names of texts where most of their items lie and there is room; where
    texts are too many for colours, pictures of items instead of some dots.
    """
    low, high = known.points.min(axis=0), known.points.max(axis=0)
    size = np.array([WIDTH, HEIGHT]) - 2 * EDGE
    places = EDGE + (known.points - low) / np.maximum(high - low, 1e-9) * size
    kinds = list(dict.fromkeys(known.modalities))
    texts, codes, uses = np.unique(np.asarray(known.labels, dtype=object).astype(str), return_inverse=True, return_counts=True)
    rare = 2 * len(texts) > len(codes)
    dots = [
        Dot(
            x=round(float(x), 1),
            y=round(float(y), 1),
            colour="rgb(var(--main))" if rare else f"hsl({137.5 * code % 360:.0f} 65% 52%)",
            shape=kinds.index(kind) % len(SHAPES),
            title=f"{label[:100]} ({name})",
        )
        for (x, y), code, kind, label, name in zip(places, codes, known.modalities, known.labels, known.ids, strict=True)
    ]
    return Drawn(
        dots=dots,
        names=[] if rare else _names(places, codes, uses, texts),
        pictures=_pictures(places, known, items, album) if len(texts) > NAMES // 2 else [],
        shapes=list(SHAPES.values()),
        kinds=dict(zip(kinds, list(SHAPES) * len(kinds), strict=False)),
    )


def _names(places: np.ndarray, codes: np.ndarray, uses: np.ndarray, texts: np.ndarray) -> list[Spot]:
    """Each text at the item that lies nearest to all others of that text, the frequent ones first."""
    found: list[Spot] = []
    for code in np.argsort(-uses, kind="stable")[:NAMES]:
        own = places[codes == code]
        x, y = own[np.linalg.norm(own[:, None] - own[None], axis=2).sum(axis=1).argmin()].tolist()
        name = texts[code] if len(texts[code]) <= 24 else f"{texts[code][:23]}…"
        if all(abs(x - one.x) > 4.5 * (len(name) + len(one.text)) or abs(y - one.y) > 18 for one in found):
            found.append(Spot(x=round(x, 1), y=round(y, 1), text=name))
    return found


def _pictures(places: np.ndarray, known: TextMap, items: Mapping[str, Item], album: Album) -> list[Spot]:
    """Pictures that do not hide each other, in the map's order."""
    found: list[Spot] = []
    for (x, y), name, label in zip(places.tolist(), known.ids, known.labels, strict=True):
        apart = all(abs(x - one.x) > SIDE or abs(y - one.y) > SIDE for one in found)
        if len(found) < PICTURES and apart and name in items and (small := album.thumbnail(items[name], side=SIDE)):
            found.append(Spot(x=round(x, 1), y=round(y, 1), text=f"{label[:100]} ({name})", picture=small))
    return found
