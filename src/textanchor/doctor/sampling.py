"""How much of a modality fits are tried on, so that they take no longer however many pairs there are."""

from __future__ import annotations

from dataclasses import replace

from textanchor.aligners.comparison import drawn, some
from textanchor.records import Unpaired
from textanchor.space.preparing import Sides

TRAIN, VAL = 20_000, 5_000


def sampled(sides: Sides, *, seed: int) -> Sides:
    """At most 20,000 random training and 5,000 validation items with their texts, and as many without partners; the very
    sides where there are no more."""
    train, val = some(sides.train, TRAIN, seed=seed), some(sides.val, VAL, seed=seed)
    unpaired = _fewer(sides.unpaired, seed)
    if train is sides.train and val is sides.val and unpaired is sides.unpaired:
        return sides
    return replace(sides, pairs={"train": train, "val": val}, unpaired=unpaired)


def enough(sides: Sides) -> bool:
    """Whether anything can be fitted and judged."""
    return len(sides.val.items) > 1 and len(sides.train.texts) > 1


def _fewer(unpaired: Unpaired, seed: int) -> Unpaired:
    if unpaired.items is not None and len(unpaired.items) > TRAIN:
        rows = drawn(len(unpaired.items), TRAIN, seed=seed)
        groups = tuple(unpaired.groups[row] for row in rows)
        unpaired = replace(unpaired, items=unpaired.items.take(rows), groups=groups)
    if len(unpaired.texts) > TRAIN and unpaired.anchors is not None:
        rows = drawn(len(unpaired.texts), TRAIN, seed=seed)
        texts = tuple(unpaired.texts[row] for row in rows)
        unpaired = replace(unpaired, texts=texts, anchors=unpaired.anchors[rows])
    return unpaired
