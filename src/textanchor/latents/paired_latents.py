"""Latents and anchor vectors joined into the record that aligners and evaluation take."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
from jaxtyping import Int

from textanchor.data.splits import Split
from textanchor.records import Latents, PairedLatents, Pairs, Unpaired, Vectors

CLASSES = 20_000  # texts that stand for their items, at most


def are_classes(pairs: PairedLatents) -> bool:
    """Whether texts are class names: at least twice as many items as texts."""
    return 2 * len(pairs.texts) <= len(pairs.items)


def representatives(pairs: PairedLatents, *, limit: int = 2000, classes: int = CLASSES) -> tuple[Vectors, Vectors]:
    """Latents and anchor vectors of the same things, row by row, for measures of agreement; at most `limit`, evenly spaced.

    Where texts are class names, a thing is a text with the mean latent of its items, and at most `classes` are taken; else it
    is an item with its mean text.
    """
    if are_classes(pairs):
        share = pairs.relevant.T.tocsr().astype(np.float32)
        rows = _spaced(len(pairs.texts), classes)
        share = share[rows]
        return np.asarray(share @ pairs.means / share.sum(axis=1)[:, None], dtype=np.float32), pairs.anchors[rows]
    part = pairs.take(_spaced(len(pairs.items), limit))
    return part.means, part.targets


def _spaced(total: int, limit: int) -> Int[np.ndarray, " m"]:
    """At most `limit` rows of `total`."""
    return np.unique(np.linspace(0, total - 1, min(limit, total)).astype(int))


def paired(
    pairs: Pairs, modality: str, latents: Latents, texts: tuple[str, ...], anchors: Vectors, ids: Collection[str]
) -> PairedLatents:
    """The pairs of one modality whose item is in `ids` and has a latent; `anchors[i]` is the vector of `texts[i]`.

    All groups that an item has, and those that other items join to them, count as one.
    """
    described = dict.fromkeys(
        (pair.item.id, pair.text) for pair in pairs.rows if pair.item.modality == modality and pair.item.id in ids
    )
    items = {item for item, _ in described}
    place = {item: row for row, item in enumerate(latents.ids) if item in items}
    order = {item: row for row, item in enumerate(place)}
    text_row = {text: row for row, text in enumerate(texts)}
    rows = [(order[item], text_row[text]) for item, text in described if item in order]
    used = sorted({text for _, text in rows})
    compact = {text: row for row, text in enumerate(used)}
    edges = np.array([[item, compact[text]] for item, text in rows], dtype=np.int64).reshape(-1, 2)
    degree = np.bincount(edges[:, 0], minlength=len(order))
    return PairedLatents(
        modality=modality,
        items=latents.take(list(place.values())),
        texts=tuple(texts[row] for row in used),
        anchors=anchors[used],
        edges=edges,
        weights=(1 / np.maximum(degree, 1))[edges[:, 0]].astype(np.float32),
        groups=tuple(pairs.joined_groups.get(item, f"item {item}") for item in order),
    )


def unpaired(pairs: Pairs, modality: str, latents: Latents, split: Split) -> Unpaired:
    """What a modality has on the training side without a partner; the texts' vectors are still to come."""
    own = pairs.only(modality)
    lone = {item.id for item in own.lone_items if item.id in split.train}
    rows = [row for row, item in enumerate(latents.ids) if item in lone]
    items = latents.take(rows) if rows else None
    return Unpaired(
        items=items,
        groups=tuple(pairs.joined_groups.get(item, f"item {item}") for item in items.ids) if items is not None else (),
        texts=tuple(text for text in own.lone_texts if split.lone_texts.get(text) == "train"),
    )
