"""Queries with their nearest neighbours in other modalities, for a person to look at and listen to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from textanchor.evaluation.held_out import HELD_OUT, Judged
from textanchor.pages import Album, Media
from textanchor.records import Item, PairedLatents, Vectors
from textanchor.space import TEXT, Geometry

QUERIES, FEWER, HITS = 4, 2, 5


@dataclass(frozen=True, kw_only=True)
class Shown:
    """One item, or one text, as the report shows it."""

    id: str
    text: str
    modality: str
    media: Media
    score: float | None = None
    relevant: bool | None = None


@dataclass(frozen=True, kw_only=True)
class Shelf:
    """One query and its nearest neighbours in one other modality, which `modality` names."""

    query: Shown
    modality: str
    hits: tuple[Shown, ...]


def shelves(geometry: Geometry, judged: Judged, album: Album, *, seed: int) -> list[Shelf]:
    """Held-out queries of each modality, texts included, against every other modality, five hits each.

    They are up to four, or two where there are several modalities beside texts.
    """
    cases = _cases(geometry, judged)
    count = QUERIES if len(cases) == 2 else FEWER
    rng = np.random.default_rng(seed)
    filled = []
    for name, case in cases.items():
        galleries = {other: geometry.between(name, other).gallery(cases[other].raw) for other in cases if other != name}
        rows = np.sort(rng.permutation(len(case.ids))[:count])
        for other, gallery in galleries.items():
            for row in rows:
                scores = (geometry.between(name, other).query(case.raw[row : row + 1]) @ gallery.T)[0]
                filled.append(_shelf(case, int(row), cases[other], scores, album))
    return filled


@dataclass(frozen=True, kw_only=True)
class _Case:
    """What there is of one modality: raw vectors, names, texts, and the items themselves (none of texts)."""

    modality: str
    raw: Vectors
    ids: Sequence[str]
    texts: Sequence[frozenset[str]]
    items: Mapping[str, Item]


def _cases(geometry: Geometry, judged: Judged) -> dict[str, _Case]:
    pairs = judged.pairs[HELD_OUT]
    cases = {modality: _items(geometry, own, judged.items) for modality, own in pairs.items()}
    return {TEXT: _texts(pairs), **cases} if cases else {}


def _items(geometry: Geometry, pairs: PairedLatents, items: Mapping[str, Item]) -> _Case:
    texts: list[set[str]] = [set() for _ in pairs.items.ids]
    for item, text in pairs.edges:
        texts[item].add(pairs.texts[text])
    return _Case(
        modality=pairs.modality,
        raw=geometry.project(pairs.modality, pairs.inputs),
        ids=pairs.items.ids,
        texts=[frozenset(own) for own in texts],
        items=items,
    )


def _texts(pairs: Mapping[str, PairedLatents]) -> _Case:
    vectors = {text: own.anchors[row] for own in pairs.values() for row, text in enumerate(own.texts)}
    names = sorted(vectors)
    raw = np.stack([vectors[name] for name in names])
    return _Case(modality=TEXT, raw=raw, ids=names, texts=[frozenset({name}) for name in names], items={})


def _shelf(case: _Case, row: int, gallery: _Case, scores: np.ndarray, album: Album) -> Shelf:
    hits = []
    for best in np.argsort(-scores, kind="stable")[:HITS]:
        relevant = bool(gallery.texts[best] & case.texts[row])
        hits.append(replace(_shown(gallery, int(best), album), score=float(scores[best]), relevant=relevant))
    return Shelf(query=_shown(case, row, album), modality=gallery.modality, hits=tuple(hits))


def _shown(case: _Case, row: int, album: Album) -> Shown:
    name = case.ids[row]
    media = album.of(case.items[name]) if name in case.items else Media()
    return Shown(id=name, text=" / ".join(sorted(case.texts[row])), modality=case.modality, media=media)
