"""A search as the page asks for it, and what it shows of the answer."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import zip_longest
from pathlib import Path
from typing import Any

from textanchor.collections import Explanation, Part, Query, Terms, explain, search
from textanchor.data.readers import guess_modality
from textanchor.errors import InputError
from textanchor.records import Hit, Hits
from textanchor.space import TEXT
from textanchor.studio.cards import Card, card_of
from textanchor.studio.sources import Shelved

MOST, LETTERS = 60, 2000  # hits of a page, letters of a query
ANY, EACH = "", "some of each"


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What somebody typed, sent or pointed at, and of which hits they want to know."""

    words: str = ""
    files: tuple[Path, ...] = ()
    like: str = ""
    modality: str = ANY
    where: str = ""
    k: int = 12


@dataclass(frozen=True, kw_only=True)
class Shown:
    """A hit with its card, and why it is one."""

    hit: Hit
    card: Card
    why: Explanation


@dataclass(frozen=True, kw_only=True)
class Answer:
    """Hits in order; those after `line` are mostly chance, None where nothing is known of chance. `asked`: in words."""

    shown: tuple[Shown, ...]
    hits: Hits
    asked: str

    @property
    def line(self) -> int | None:
        """How many of the hits shown stand above the line."""
        return None if self.hits.line is None else sum(one.hit.above is True for one in self.shown)


def answered(source: Shelved, wish: Wish) -> Answer:
    """The answer of one collection. Raises `InputError` for a query that cannot be meant or a filter that cannot be read."""
    space, index = source.shelf.space, source.index
    modality = None if wish.modality in (ANY, EACH) else wish.modality
    terms = Terms(k=max(1, min(wish.k, MOST)), modality=modality, where=wish.where.strip() or None)
    if terms.filter is not None and "path" in terms.filter.names:
        raise InputError("paths are the studio's own business; filter by id or fields")
    query, told = _query(source, wish)
    of_each = wish.modality == EACH
    hits = _of_each(source, query, terms) if of_each else _found(source, query, terms)
    whys = [_named(source, one) for one in explain(space, index, hits)]
    shown = (Shown(hit=hit, card=_card(source, hit), why=why) for hit, why in zip(hits, whys, strict=True))
    return Answer(shown=tuple(shown), hits=hits, asked=told)


def _found(source: Shelved, query: Any, terms: Terms) -> Hits:
    told = TEXT if isinstance(query, str) else None
    hits: Hits = search(source.shelf.space, query, source.shelf.held, terms=terms, query_modality=told)
    return hits


def _of_each(source: Shelved, query: Any, terms: Terms) -> Hits:
    """As many of each modality, taken in turns; what is mostly chance comes last."""
    kinds = source.index.modalities
    found = [_found(source, query, replace(terms, modality=kind, k=-(-terms.k // len(kinds)))) for kind in kinds]
    mixed = [hit for turn in zip_longest(*found) for hit in turn if hit is not None]
    mixed.sort(key=lambda hit: hit.above is False)
    known = all(hits.line is not None for hits in found)
    return Hits(
        tuple(mixed[: terms.k]),
        total=sum(hits.total for hits in found),
        line=sum(hits.line or 0 for hits in found) if known else None,
        level=terms.level,
        at_least=any(hits.at_least for hits in found),
    )


def _query(source: Shelved, wish: Wish) -> tuple[Any, str]:
    """The query, and how it is called."""
    words = wish.words.strip()
    if len(words) > LETTERS:
        raise InputError(f"a sentence of {len(words):,} letters; at most {LETTERS:,}")
    if wish.like:
        item = source.item(wish.like)
        return item, f"more like {source.public_id(item.id)}"
    parts: list[Any] = [_file(source, file) for file in wish.files]
    names = [file.name for file in wish.files]
    if words:
        parts.insert(0, Part(words, modality=TEXT))
        names.insert(0, f"“{words}”")
    if not parts:
        raise InputError("type a sentence, drop a file, or record a sound")
    if len(parts) == 1:
        return (words if words else parts[0].value), names[0]
    return Query(*parts), " and ".join(names)


def _file(source: Shelved, file: Path) -> Part:
    kind = guess_modality(file)
    known = source.shelf.space.kinds
    if kind is None or kind not in known:
        raise InputError(f"{file.name} is no file that this space reads; it knows: {', '.join(known)}")
    return Part(file, modality=kind)


def _named(source: Shelved, why: Explanation) -> Explanation:
    """With names that say nothing of this machine's folders."""
    return replace(why, like=tuple(replace(one, name=source.public_id(one.name)) for one in why.like))


def _card(source: Shelved, hit: Hit) -> Card:
    key = source.key(hit.modality, hit.place, hit.item.id)
    return card_of(source, key, hit.item, source.public_id(hit.id), source.shelf.space.runtime.limits)
