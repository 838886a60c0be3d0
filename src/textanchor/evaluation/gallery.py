"""Queries with their nearest neighbours in other modalities, for a person to look at and listen to."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import soundfile
import soxr
from PIL import Image

from textanchor.data.contents import decode
from textanchor.errors import ItemError
from textanchor.evaluation.held_out import HELD_OUT, Judged
from textanchor.records import Clip, Item, PairedLatents, Waveform
from textanchor.space import Space
from textanchor.space.items import TEXT

QUERIES, HITS = 4, 5
SIDE, SECONDS, RATE = 96, 10, 16_000


@dataclass(frozen=True, kw_only=True)
class Shown:
    """One item as the report shows it: `kind` is image, audio or text, `media` a data URI or empty."""

    id: str
    text: str
    kind: str
    media: str = ""
    score: float | None = None
    relevant: bool | None = None


@dataclass(frozen=True, kw_only=True)
class Shelf:
    """One query and its nearest neighbours in one other modality."""

    query: Shown
    modality: str
    hits: tuple[Shown, ...]


def shelves(space: Space, judged: Judged, *, seed: int) -> list[Shelf]:
    """Up to four held-out queries of each modality, texts included, against every other modality, five hits each."""
    part = judged.parts[HELD_OUT]
    sides: dict[str, _Side] = {name: _items(space, pairs) for name, pairs in part.items()}
    if part:
        sides = {TEXT: _texts(part), **sides}
    rng, found = np.random.default_rng(seed), []
    for name, queries in sides.items():
        for row in np.sort(rng.permutation(len(queries.ids))[:QUERIES]):
            for other, gallery in sides.items():
                if other != name:
                    found.append(_shelf(space, judged, name, queries, int(row), other, gallery))
    return found


@dataclass(frozen=True, kw_only=True)
class _Side:
    raw: np.ndarray
    ids: Sequence[str]
    texts: Sequence[frozenset[str]]


def _items(space: Space, pairs: PairedLatents) -> _Side:
    texts: list[set[str]] = [set() for _ in pairs.items.ids]
    for item, text in pairs.edges:
        texts[item].add(pairs.texts[text])
    raw = space.project(pairs.modality, pairs.inputs)
    return _Side(raw=raw, ids=pairs.items.ids, texts=[frozenset(held) for held in texts])


def _texts(part: Mapping[str, PairedLatents]) -> _Side:
    vectors = {text: pairs.anchors[row] for pairs in part.values() for row, text in enumerate(pairs.texts)}
    names = sorted(vectors)
    return _Side(raw=np.stack([vectors[name] for name in names]), ids=names, texts=[frozenset({name}) for name in names])


def _shelf(space: Space, judged: Judged, name: str, queries: _Side, row: int, other: str, gallery: _Side) -> Shelf:
    left = space.query(queries.raw[row : row + 1], name, other)
    scores = (left @ space.gallery(gallery.raw, other, name).T)[0]
    hits = tuple(
        _shown(judged, other, gallery, int(best), float(scores[best]), bool(gallery.texts[best] & queries.texts[row]))
        for best in np.argsort(-scores, kind="stable")[:HITS]
    )
    return Shelf(query=_shown(judged, name, queries, row), modality=other, hits=hits)


def _shown(
    judged: Judged, modality: str, side: _Side, row: int, score: float | None = None, relevant: bool | None = None
) -> Shown:
    text = " / ".join(sorted(side.texts[row]))
    if modality == TEXT:
        return Shown(id=side.ids[row], text=text, kind=TEXT, score=score, relevant=relevant)
    kind, media = _media(judged.items[side.ids[row]])
    return Shown(id=side.ids[row], text=text, kind=kind, media=media, score=score, relevant=relevant)


def _media(item: Item) -> tuple[str, str]:
    """What a browser can show of an item; an item that cannot be decoded any more is shown by its name."""
    try:
        value: Any = decode(item)
    except ItemError:
        return "name", ""
    if isinstance(value, Clip):
        value = value.frames[0] if value.frames else value.sound
    if isinstance(value, Image.Image):
        return "image", f"data:image/png;base64,{_png(value)}"
    if isinstance(value, Waveform):
        return "audio", f"data:audio/flac;base64,{_flac(value)}"
    return "name", ""


def _png(image: Image.Image) -> str:
    small = image.copy()
    small.thumbnail((SIDE, SIDE))
    out = io.BytesIO()
    small.save(out, format="PNG", optimize=True)
    return base64.b64encode(out.getvalue()).decode()


def _flac(sound: Waveform) -> str:
    samples = sound.samples[: SECONDS * sound.rate]
    rate = min(sound.rate, RATE)
    if rate != sound.rate:
        samples = soxr.resample(samples, sound.rate, rate)
    out = io.BytesIO()
    soundfile.write(out, np.clip(samples, -1, 1), rate, format="FLAC", subtype="PCM_16")
    return base64.b64encode(out.getvalue()).decode()
