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
    """Pairs of different items of different groups that are nearly the same: their ids, groups and sides, [k, 2] each."""

    ids: np.ndarray
    groups: np.ndarray
    sides: np.ndarray


def near(parts: Mapping[str, PairedLatents]) -> Near:
    """Items whose centred latents have a cosine of at least .98, among all sides."""
    sides = np.repeat(np.arange(len(parts)), [len(one.items) for one in parts.values()])
    ids = np.array([item for one in parts.values() for item in one.items.ids], dtype=object)
    _, contents = np.unique([content for one in parts.values() for content in one.items.contents], return_inverse=True)
    groups = np.array([group for one in parts.values() for group in one.groups], dtype=object)
    _, codes = np.unique(groups.astype(str), return_inverse=True)
    vectors = np.concatenate([one.means for one in parts.values()])
    vectors = normalize(vectors - vectors.mean(axis=0))
    found = []
    for start in range(0, len(vectors), BLOCK):
        rows, columns = np.nonzero(vectors[start : start + BLOCK] @ vectors.T >= NEAR)
        rows = rows + start
        kept = (rows < columns) & (contents[rows] != contents[columns]) & (codes[rows] != codes[columns])
        found.append(np.stack([rows[kept], columns[kept]], axis=1))
    both = np.concatenate(found)
    return Near(ids=ids[both], groups=groups[both], sides=sides[both])


def near_duplicates(found: Near) -> Finding:
    """How many, in all and between sides, with an example."""
    what = f"(cosine of centred latents at least {NEAR}; items of one group left out)"
    if not len(found.ids):
        return Finding(level="good", topic="near-duplicates", text=f"none {what}")
    across = found.sides[:, 0] != found.sides[:, 1]
    example = found.ids[across.nonzero()[0][-1] if across.any() else 0]
    text = f"{len(found.ids)} pairs, {across.sum()} of them between sides of the split, such as {some(list(example))} {what}"
    if across.any():
        text += "; give such items one group (--merged FILE writes the table so)"
    return Finding(level="warning", topic="near-duplicates", text=text)


def merged(pairs: Pairs, found: Sequence[Near]) -> Pairs:
    """The same rows; groups that hold nearly the same items have become one, named after the first of them."""
    edges = np.concatenate([one.groups for one in found]) if found else np.empty((0, 2), dtype=object)
    names, codes = np.unique(edges.astype(str), return_inverse=True)
    codes = codes.reshape(-1, 2)
    links = coo_array((np.ones(len(codes)), (codes[:, 0], codes[:, 1])), shape=(len(names), len(names)))
    _, labels = connected_components(links, directed=False)
    one_of = dict(zip(names, labels, strict=True))
    first: dict[int, str] = {}
    rows = []
    for pair in pairs.rows:
        whole = f"{pair.item.modality} {pair.item.id}"  # the group of a video's parts
        unit = pair.group or (whole if whole in one_of else f"item {pair.item.id}")
        label = one_of.get(unit)
        rows.append(pair if label is None else replace(pair, group=first.setdefault(label, unit)))
    return replace(pairs, rows=tuple(rows))
