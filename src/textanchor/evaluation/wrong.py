"""The held-out items that are furthest from their own texts, for a person to look at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from textanchor.evaluation.answers import Answers
from textanchor.pages import Album, Media
from textanchor.records import Item

WORST = 12


@dataclass(frozen=True, kw_only=True)
class Wrong:
    """An item, the best of its own texts and the text that it finds first, with scores; `place` of its own counts from 1."""

    id: str
    media: Media
    own: str
    own_score: float
    first: str
    first_score: float
    place: int


@dataclass(frozen=True, kw_only=True)
class Worst:
    """The worst items of one modality, the number of all that are wrong, of all items and of texts."""

    modality: str
    items: list[Wrong]
    wrong: int
    total: int
    texts: int


def wrong(found: Mapping[str, Answers], items: Mapping[str, Item], album: Album) -> list[Worst]:
    """Of each modality the twelve items whose first text scores furthest above their own."""
    return [
        Worst(
            modality=modality,
            items=[_wrong(own, row, items, album) for row in own.worst(WORST)],
            wrong=int((own.rank > 0).sum()),
            total=len(own.rank),
            texts=len(own.pairs.texts),
        )
        for modality, own in found.items()
    ]


def _wrong(own: Answers, row: int, items: Mapping[str, Item], album: Album) -> Wrong:
    name, texts = own.pairs.items.ids[row], own.pairs.texts
    return Wrong(
        id=name,
        media=album.of(items[name]) if name in items else Media(),
        own=texts[own.own[row]],
        own_score=float(own.own_score[row]),
        first=texts[own.other[row]],
        first_score=float(own.other_score[row]),
        place=int(own.rank[row]) + 1,
    )
