"""Items as cards: what is seen or heard of each, its name, and what is told of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from markupsafe import Markup

from textanchor.data.decoding import decode
from textanchor.errors import ItemError
from textanchor.pages import rendered
from textanchor.records import Item
from textanchor.runtime import Limits
from textanchor.studio.showing.opening import settled
from textanchor.studio.sources import Source

WORDS = 280  # letters of a text
SEEN = ("image", "audio", "video", "series")


@dataclass(frozen=True, kw_only=True)
class Media:
    """What a browser is given of an item: addresses of a picture and of a sound or film, or words."""

    picture: str = ""
    large: str = ""
    play: str = ""
    film: bool = False
    words: str = ""


@dataclass(frozen=True, kw_only=True)
class Card:
    """An item with its key, a name without the place where it lies, and its media."""

    key: str
    name: str
    modality: str
    media: Media


def card_of(source: Source, key: str, item: Item, name: str, limits: Limits) -> Card:
    """The card of a source's item."""
    return Card(key=key, name=name, modality=item.modality, media=_media(source, key, item, limits))


def _media(source: Source, key: str, item: Item, limits: Limits) -> Media:
    """The addresses that the studio's own routes answer, or the beginning of a text."""
    if item.modality not in SEEN:
        return Media(words=_words(source, item, limits))
    place = f"{quote(source.id, safe='')}/{quote(key, safe='')}"
    picture = f"/studio/picture/{place}"
    play = f"/studio/play/{place}" if item.modality in ("audio", "video") else ""
    return Media(picture=f"{picture}/small", large=f"{picture}/large", play=play, film=item.modality == "video")


def _words(source: Source, item: Item, limits: Limits) -> str:
    """What cannot be read has its name to show."""
    try:
        told = str(decode(settled(item, source.roots), limits))
    except ItemError:
        told = item.id
    return told if len(told) <= WORDS else f"{told[:WORDS]}…"


def html(template: str, **values: Any) -> str:
    """A part of a page; names, classes and captions are escaped."""
    return str(Markup(rendered("textanchor.studio", f"templates/{template}", **values).decode()))
