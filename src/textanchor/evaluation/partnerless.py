"""What a table holds without a partner, for fits that are made anew inside an evaluation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from textanchor.evaluation.held_out import seen
from textanchor.latents.engine import contents
from textanchor.records import PairedLatents, Pairs, Single, Unpaired
from textanchor.runtime import Runtime
from textanchor.space import Space
from textanchor.space.texts import embed_texts


def partnerless(space: Space, table: Pairs, runtime: Runtime) -> dict[str, Unpaired]:
    """By modality, items without a text that the space was trained on, and texts without an item.

    What the table or the space puts on another side than train stays out.
    """
    unpaired = {}
    for modality in space.modalities:
        singles = [single for single in table.only(modality).singles if single.split in (None, "train")]
        if singles:
            own = _items(space, table, modality, [single for single in singles if single.item is not None], runtime)
            texts = tuple(dict.fromkeys(single.text for single in singles if single.text is not None))
            vectors = embed_texts(space, texts, modality=modality, wording=space.wording(modality), runtime=runtime)
            unpaired[modality] = replace(own, texts=texts, anchors=vectors) if texts else own
    return unpaired


def apart_from(unpaired: Unpaired, test: PairedLatents) -> Unpaired:
    """What shares neither a group nor a text with the pairs that are to judge."""
    groups, texts = set(test.groups), set(test.texts)
    items = unpaired.items
    kept = [row for row, group in enumerate(unpaired.groups) if group not in groups]
    lone = [row for row, text in enumerate(unpaired.texts) if text not in texts]
    return Unpaired(
        items=items.take(kept) if items is not None and kept else None,
        groups=tuple(unpaired.groups[row] for row in kept),
        texts=tuple(unpaired.texts[row] for row in lone),
        anchors=unpaired.anchors[np.asarray(lone)] if unpaired.anchors is not None and lone else None,
    )


def _items(space: Space, table: Pairs, modality: str, singles: Sequence[Single], runtime: Runtime) -> Unpaired:
    by_id = {single.item.id: single for single in singles if single.item is not None}
    hashes, _ = contents([single.item for single in by_id.values() if single.item is not None], runtime)
    trained = []
    for name, content in hashes.items():
        single = by_id[name]
        if single.item is not None and seen(space, table, content, table.groups.get(name, ())) == "train":
            trained.append(single.item)
    if not trained:
        return Unpaired()
    latents = space.encoded(trained, modality, known=hashes, runtime=runtime).latents
    groups = tuple(table.joined_groups.get(name, f"item {name}") for name in latents.ids)
    return Unpaired(items=latents, groups=groups)
