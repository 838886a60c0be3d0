"""Latents and anchor vectors joined into the record that aligners and evaluation take."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np

from textanchor.records import Latents, PairedLatents, Pairs, Vectors


def representatives(pairs: PairedLatents, *, limit: int = 2000) -> tuple[Vectors, Vectors]:
    """Latents and anchor vectors of the same things, row by row, for measures of agreement; at most `limit`, evenly spaced.

    Where texts are class names, a thing is a text with the mean latent of its items; else it is an item with its mean text.
    """
    if 2 * len(pairs.texts) <= len(pairs.items):
        share = pairs.relevant.T.astype(np.float32)
        return np.asarray(share @ pairs.means / share.sum(axis=1)[:, None], dtype=np.float32), pairs.anchors
    part = pairs.take(np.unique(np.linspace(0, len(pairs.items) - 1, min(limit, len(pairs.items))).astype(int)))
    return part.means, part.targets


def paired(
    pairs: Pairs, modality: str, latents: Latents, texts: tuple[str, ...], anchors: Vectors, ids: Collection[str]
) -> PairedLatents:
    """The pairs of one modality whose item is in `ids` and has a latent; `anchors[i]` is the vector of `texts[i]`."""
    place = {item: row for row, item in enumerate(latents.ids) if item in ids}
    order = {item: row for row, item in enumerate(place)}
    text_row = {text: row for row, text in enumerate(texts)}
    rows = [pair for pair in pairs.rows if pair.item.modality == modality and pair.item.id in place]
    used = sorted({text_row[pair.text] for pair in rows})
    compact = {text: row for row, text in enumerate(used)}
    edges = np.array([[order[pair.item.id], compact[text_row[pair.text]]] for pair in rows], dtype=np.int64).reshape(-1, 2)
    degree = np.bincount(edges[:, 0], minlength=len(order))
    groups = {pair.item.id: pair.group for pair in rows if pair.group}
    return PairedLatents(
        modality=modality,
        items=latents.take(list(place.values())),
        texts=tuple(texts[row] for row in used),
        anchors=anchors[used],
        edges=edges,
        weights=(1 / np.maximum(degree, 1))[edges[:, 0]].astype(np.float32),
        groups=tuple(groups.get(item, f"item {item}") for item in order),
    )
