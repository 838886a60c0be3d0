"""Latents and anchor vectors joined into the record that aligners and evaluation take."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np

from textanchor.records import Latents, PairedLatents, Pairs, Vectors


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
