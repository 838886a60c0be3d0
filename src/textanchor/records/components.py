"""What belongs together because something joins it, over any number of steps."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence


def components(ties: Iterable[Sequence[str]]) -> Mapping[str, str]:
    """Node -> the name of its connected component, which is its least node; the nodes of one tie belong together.

    The order of the ties does not matter.
    """
    parent: dict[str, str] = {}

    def root(node: str) -> str:
        while parent.setdefault(node, node) != node:
            parent[node] = parent[parent[node]]
            node = parent[node]
        return node

    for tie in ties:
        for node in tie:
            low, high = sorted((root(tie[0]), root(node)))
            parent[high] = low
    return {node: root(node) for node in list(parent)}
