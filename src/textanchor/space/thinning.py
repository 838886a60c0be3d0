"""Pairs that forget their partners: what few pairs and much unpaired data would look like."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from jaxtyping import Shaped

from textanchor.errors import InputError
from textanchor.records import PairedLatents, Unpaired
from textanchor.records.components import components
from textanchor.space.preparing import Sides


def thinned(sides: Sides, share: float, seed: int = 0, *, disjoint: bool = False) -> Sides:
    """A random share of the training groups keeps its pairs; of the others, items and texts remain without their partners.

    Groups that hold an item of the same content go the same way. At least one is kept; smaller shares keep some of the groups
    of larger ones. A text that a kept pair still has is not unpaired. With `disjoint` half of the other groups leave their
    items and the other half their texts, so that no partner is there to be found. Other sides are as they were. Raises
    `InputError` unless 0 < share <= 1.
    """
    if not 0 < share <= 1:
        raise InputError(f"a share of {share} of the training groups: expected more than 0 and at most 1")
    train = sides.train
    groups = _named_by_group(train)
    names = np.unique(groups)
    order = np.random.default_rng(seed).permutation(names)
    kept, others = np.split(order, [max(1, round(share * len(names)))])
    if not len(others):
        return sides
    of_items, of_texts = (others[::2], others[1::2]) if disjoint else (others, others)
    pairs, looking, found = (train.take(np.flatnonzero(np.isin(groups, own))) for own in (kept, of_items, of_texts))
    return replace(sides, pairs={**sides.pairs, "train": pairs}, unpaired=_with(sides.unpaired, pairs, looking, found))


def _with(unpaired: Unpaired, pairs: PairedLatents, looking: PairedLatents, found: PairedLatents) -> Unpaired:
    """What had no partner before, and the items and texts that lost theirs."""
    items = looking.items if unpaired.items is None else unpaired.items.joined(looking.items)  # type: ignore[arg-type]
    taken = {*pairs.texts, *unpaired.texts}
    rows = [row for row, text in enumerate(found.texts) if text not in taken]
    anchors = found.anchors[rows]
    if unpaired.anchors is not None:
        anchors = np.concatenate([unpaired.anchors, anchors])
    return Unpaired(
        items=items,
        groups=(*unpaired.groups, *looking.groups),
        texts=(*unpaired.texts, *(found.texts[row] for row in rows)),
        anchors=anchors,
    )


def with_own_validation(sides: Sides, *, share: float = 0.2, seed: int = 0) -> Sides:
    """A fifth of the training groups validate in place of the sides' own validation: few pairs are all the pairs there are.

    Groups that hold an item of the same content stay together. At least two groups validate and two train. Unpaired items that
    share a group or their content with what validates are left out. Raises `InputError` for fewer than four groups.
    """
    train = sides.train
    groups = _tied(train)
    names = np.unique(groups)
    if len(names) < 4:
        raise InputError(f"{len(names)} groups of training pairs: expected at least 4, two to fit and two to choose on")
    chosen = np.random.default_rng([seed, len(names)]).permutation(names)[: max(2, round(share * len(names)))]
    judging = np.isin(groups, chosen)
    parts = {"train": train.take(np.flatnonzero(~judging)), "val": train.take(np.flatnonzero(judging))}
    return replace(sides, pairs={**sides.pairs, **parts}, unpaired=_apart(sides.unpaired, parts["val"]))


def _apart(unpaired: Unpaired, val: PairedLatents) -> Unpaired:
    """Without the items that validate as well, or stand in a group of one that does."""
    if unpaired.items is None:
        return unpaired
    groups, contents = set(val.groups), set(val.items.contents)
    alone = zip(unpaired.groups, unpaired.items.contents, strict=True)
    kept = [row for row, (group, content) in enumerate(alone) if group not in groups and content not in contents]
    if len(kept) == len(unpaired.groups):
        return unpaired
    return replace(unpaired, items=unpaired.items.take(kept), groups=tuple(unpaired.groups[row] for row in kept))


def _tied(pairs: PairedLatents) -> Shaped[np.ndarray, " n"]:
    """What each item must not be parted from: its group and every group that holds an item of the same content, by one name."""
    tied = [(f"group {group}", f"content {content}") for group, content in zip(pairs.groups, pairs.items.contents, strict=True)]
    least = components(tied)
    return np.array([least[group] for group, _ in tied], dtype=object).astype(str)


def _named_by_group(pairs: PairedLatents) -> Shaped[np.ndarray, " n"]:
    """The same by the name of its least group, so that groups which nothing ties keep their own."""
    tied, groups = _tied(pairs), np.array(pairs.groups, dtype=object).astype(str)
    names: dict[str, str] = {}
    for name, group in zip(tied, groups, strict=True):
        names[name] = min(names.get(name, group), group)
    return np.array([names[name] for name in tied], dtype=object).astype(str)
