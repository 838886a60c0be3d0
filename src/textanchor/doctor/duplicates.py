"""Items that are the same, or nearly."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from sklearn.preprocessing import normalize

from textanchor.doctor.findings import Finding, some
from textanchor.records import PairedLatents, Pairs

NEAR = 0.98  # cosine of centred latents
BLOCK = 1024


def copies(pairs: Pairs, hashes: Mapping[str, str]) -> Iterator[Finding]:
    """Byte-identical items: how many, with contradicting texts, and on several sides of the table's own split."""
    items: dict[str, list[str]] = defaultdict(list)
    for item in pairs.items:
        if item.id in hashes:
            items[hashes[item.id]].append(item.id)
    texts: dict[str, set[str]] = defaultdict(set)
    told: dict[str, set[str]] = defaultdict(set)
    for pair in pairs.rows:
        if pair.item.id in hashes:
            texts[pair.item.id].add(pair.text)
            if pair.split:
                told[hashes[pair.item.id]].add(pair.split)
    repeated = {content: held for content, held in items.items() if len(held) > 1}
    if not repeated:
        yield Finding(level="good", topic="copies", text="no item stands twice under different names")
        return
    extra = sum(len(held) - 1 for held in repeated.values())
    example = next(iter(repeated.values()))
    yield Finding(level="warning", topic="copies", text=f"{extra} items are byte-identical to others, such as {some(example)}")
    clash = [held for held in repeated.values() if len({frozenset(texts[item]) for item in held}) > 1]
    if clash:
        yield Finding(
            level="warning", topic="copies", text=f"{len(clash)} of them under different texts, such as {some(clash[0])}"
        )
    crossing = [items[content] for content, held in told.items() if len(held) > 1]
    if crossing:
        text = f"{len(crossing)} contents stand on several sides of the split, such as {some(crossing[0])}"
        yield Finding(level="leak", topic="copies", text=text + "; fits leave out all but the held-out one")


@dataclass(frozen=True, kw_only=True)
class Near:
    """How many pairs of items of different groups are nearly the same, how many of them between sides, and one such pair.

    `groups` and `labels` [n] are the items' groups and what a chain of near-duplicates joins.
    """

    pairs: int
    across: int
    example: tuple[str, str]
    groups: np.ndarray
    labels: np.ndarray


def near(parts: Mapping[str, PairedLatents]) -> Near:
    """Items whose centred latents have a cosine of at least .98, among all sides; a block of them at a time."""
    sides = np.repeat(np.arange(len(parts)), [len(one.items) for one in parts.values()])
    ids = [item for one in parts.values() for item in one.items.ids]
    _, contents = np.unique([content for one in parts.values() for content in one.items.contents], return_inverse=True)
    groups = np.array([group for one in parts.values() for group in one.groups], dtype=str)
    _, codes = np.unique(groups, return_inverse=True)
    vectors = np.concatenate([one.means for one in parts.values()])
    vectors = normalize(vectors - vectors.mean(axis=0))
    labels = np.arange(len(ids))
    pairs, across, example = 0, 0, ("", "")
    for start in range(0, len(vectors), BLOCK):
        rows, columns = np.nonzero(vectors[start : start + BLOCK] @ vectors.T >= NEAR)
        rows = rows + start
        kept = (rows < columns) & (contents[rows] != contents[columns]) & (codes[rows] != codes[columns])
        if not kept.any():
            continue
        rows, columns = rows[kept], columns[kept]
        apart = np.flatnonzero(sides[rows] != sides[columns])
        if len(apart) or not pairs:
            one = apart[-1] if len(apart) else 0
            example = ids[rows[one]], ids[columns[one]]
        pairs, across = pairs + len(rows), across + len(apart)
        labels = _joined(labels[rows], labels[columns], len(ids))[labels]
    return Near(pairs=pairs, across=across, example=example, groups=groups, labels=labels)


def near_duplicates(found: Near) -> Finding:
    """How many, in all and between sides, with an example."""
    what = f"(cosine of centred latents at least {NEAR}; items of one group left out)"
    if not found.pairs:
        return Finding(level="good", topic="near-duplicates", text=f"none {what}")
    text = f"{found.pairs} pairs, {found.across} of them between sides of the split, such as {some(list(found.example))} {what}"
    if found.across:
        text += "; give such items one group (--merged FILE writes the table so)"
    return Finding(level="warning", topic="near-duplicates", text=text)


def merged(pairs: Pairs, found: Sequence[Near]) -> Pairs:
    """The same rows; groups that hold nearly the same items have become one, named after the first of them."""
    if not found:
        return pairs
    starts = np.cumsum([0, *(len(one.labels) for one in found)])
    names, codes = np.unique(np.concatenate([one.groups for one in found]), return_inverse=True)
    labels = np.concatenate([one.labels + start for one, start in zip(found, starts[:-1], strict=True)])
    label = _joined(codes, labels + len(names), len(names) + int(starts[-1]))[: len(names)]
    one_of = dict(zip(names, label, strict=True))
    several = np.bincount(label) > 1
    first: dict[int, str] = {}
    rows = []
    for pair in pairs.rows:
        whole = f"{pair.item.modality} {pair.item.id}"  # the group of a video's parts
        unit = pair.group or (whole if whole in one_of else f"item {pair.item.id}")
        joins = unit in one_of and several[one_of[unit]]
        rows.append(replace(pair, group=first.setdefault(one_of[unit], unit)) if joins else pair)
    return replace(pairs, rows=tuple(rows))


def _joined(left: np.ndarray, right: np.ndarray, count: int) -> np.ndarray:
    """The component of each of `count` nodes, given links between them."""
    links = coo_array((np.ones(len(left)), (left, right)), shape=(count, count))
    return np.asarray(connected_components(links, directed=False)[1])
