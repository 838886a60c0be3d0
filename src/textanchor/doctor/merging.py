"""The table with one group for items that are nearly the same."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from textanchor.doctor.near import Near, components
from textanchor.records import Pairs


def merged(pairs: Pairs, near: Sequence[Near]) -> Pairs:
    """The same rows; groups that hold nearly the same items have become one, named after the first of them."""
    if not near:
        return pairs
    starts = np.cumsum([0, *(len(own.labels) for own in near)])
    node: dict[str, int] = {}
    codes = np.array([node.setdefault(group, len(node)) for own in near for group in own.groups], dtype=np.int64)
    labels = np.concatenate([own.labels + start for own, start in zip(near, starts[:-1], strict=True)])
    component = components(codes, labels + len(node), len(node) + int(starts[-1]))[: len(node)]
    several = np.bincount(component) > 1
    first: dict[int, str] = {}
    rows = []
    for pair in pairs.rows:
        whole = f"{pair.item.modality} {pair.item.id}"  # the group of a video's parts
        unit = pair.group or (whole if whole in node else f"item {pair.item.id}")
        joined = int(component[node[unit]]) if unit in node else -1
        rows.append(replace(pair, group=first.setdefault(joined, unit)) if joined >= 0 and several[joined] else pair)
    return replace(pairs, rows=tuple(rows))
