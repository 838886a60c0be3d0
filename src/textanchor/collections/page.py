"""Queries and their hits as one self-contained HTML file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from textanchor.collections.index import Index
from textanchor.collections.queries import Query
from textanchor.files import located, new_file
from textanchor.pages import Album, Media, rendered
from textanchor.records import Hit, Hits, Item
from textanchor.runtime import Limits
from textanchor.space import TEXT, as_items


@dataclass(frozen=True, kw_only=True)
class Seen:
    """An item as the page shows it: `words` say what a text is, `href` where a file lies."""

    id: str
    modality: str
    media: Media
    words: str = ""
    href: str = ""


@dataclass(frozen=True, kw_only=True)
class Found:
    """A query and what it found."""

    query: Seen
    hits: list[tuple[Hit, Seen]]
    nothing: bool


def write_hits(
    file: str | Path,
    index: Index,
    answers: Sequence[tuple[Any, Hits]],
    *,
    place: str = "",
    query_modality: str | None = None,
    limits: Limits | None = None,
    overwrite: bool = False,
) -> Path:
    """Write queries, each with the hits that `search` gave for it in an index, as a page; returns its path.

    Hits are shown with their score, their file's path and a small picture or the beginning of a sound; the page refers to
    nothing outside it but the files, which a click opens. `place` is what the collection is called.
    Raises `InputError` if the file exists, unless `overwrite`, or cannot be made there.
    """
    album = Album(limits or Limits())
    found = [
        Found(
            query=_seen(_asked(query, query_modality), album),
            nothing=hits.nothing_relevant,
            hits=[(hit, _seen(hit.item, album)) for hit in hits],
        )
        for query, hits in answers
    ]
    html = rendered(
        "textanchor.collections",
        "hits.html.jinja",
        found=found,
        place=place,
        index=index,
        mixed=len(index.modalities) > 1,
        missing=album.missing,
    )
    with new_file(located(file), overwrite=overwrite) as new:
        new.write_bytes(html)
    return Path(file)


def _asked(query: Any, modality: str | None) -> Item:
    """The query as an item, or the first part of several."""
    if isinstance(query, Query):
        first = query.parts[0]
        return as_items(first.value, first.modality or modality)[0]
    return as_items(query, modality)[0]


def _seen(item: Item, album: Album) -> Seen:
    if item.modality == TEXT:
        return Seen(id=item.id, modality=TEXT, media=Media(), words=str(item.value if item.path is None else item.id))
    href = item.path.absolute().as_uri() if item.path is not None else ""
    return Seen(id=item.id, modality=item.modality, media=album.of(item), href=href)
