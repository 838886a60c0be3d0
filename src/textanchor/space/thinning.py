"""Pairs that forget their partners: what few pairs and much unpaired data would look like."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from textanchor.errors import InputError
from textanchor.records import PairedLatents, Unpaired
from textanchor.space.preparing import Sides


def thinned(sides: Sides, share: float, seed: int = 0) -> Sides:
    """A random share of the training groups keeps its pairs; of the others, items and texts remain without their partners.

    At least one group is kept; smaller shares keep some of the groups of larger ones. A text that a kept pair still has is not
    unpaired. Other sides are as they were. Raises `InputError` unless 0 < share <= 1.
    """
    if not 0 < share <= 1:
        raise InputError(f"a share of {share} of the training groups: expected more than 0 and at most 1")
    train = sides.train
    groups = np.array(train.groups, dtype=object).astype(str)
    names = np.unique(groups)
    kept = np.random.default_rng(seed).permutation(names)[: max(1, round(share * len(names)))]
    stays = np.isin(groups, kept)
    if stays.all():
        return sides
    pairs, parted = train.take(np.flatnonzero(stays)), train.take(np.flatnonzero(~stays))
    return replace(sides, pairs={**sides.pairs, "train": pairs}, unpaired=_with(sides.unpaired, pairs, parted))


def _with(unpaired: Unpaired, pairs: PairedLatents, parted: PairedLatents) -> Unpaired:
    """What had no partner before, and what lost it."""
    items = parted.items if unpaired.items is None else unpaired.items.joined(parted.items)  # type: ignore[arg-type]
    taken = {*pairs.texts, *unpaired.texts}
    rows = [row for row, text in enumerate(parted.texts) if text not in taken]
    anchors = parted.anchors[rows]
    if unpaired.anchors is not None:
        anchors = np.concatenate([unpaired.anchors, anchors])
    return Unpaired(
        items=items,
        groups=(*unpaired.groups, *parted.groups),
        texts=(*unpaired.texts, *(parted.texts[row] for row in rows)),
        anchors=anchors,
    )
