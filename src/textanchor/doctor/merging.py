"""The table with one group for items that are the same or nearly so."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from textanchor.doctor.near import Near, components
from textanchor.records import Pairs
from textanchor.space.saved_again import Held


def merged(pairs: Pairs, near: Sequence[Near], again: Sequence[Sequence[Held]] = ()) -> Pairs:
    """The same rows; groups that hold the same items, or nearly, have become one, named after the first of them."""
    sets = [
        *(zip(own.groups, own.labels.tolist(), strict=True) for own in near),
        *(((one.group, 0) for one in own) for own in again),
    ]
    node: dict[str, int] = {}
    label: dict[tuple[int, int], int] = {}
    links = [
        (node.setdefault(group, len(node)), label.setdefault((place, own), len(label)))
        for place, members in enumerate(sets)
        for group, own in members
    ]
    if not links:
        return pairs
    codes, labels = np.array(links, dtype=np.int64).T
    component = components(codes, labels + len(node), len(node) + len(label))[: len(node)]
    several = np.bincount(component) > 1
    first: dict[int, str] = {}
    rows = []
    for pair in pairs.rows:
        whole = f"{pair.item.modality} {pair.item.id}"  # the group of a video's parts
        unit = pair.group or (whole if whole in node else f"item {pair.item.id}")
        joined = int(component[node[unit]]) if unit in node else -1
        rows.append(replace(pair, group=first.setdefault(joined, unit)) if joined >= 0 and several[joined] else pair)
    return replace(pairs, rows=tuple(rows))
