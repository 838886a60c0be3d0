"""Items that are the same, or nearly."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping

import numpy as np
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


def near_duplicates(parts: Mapping[str, PairedLatents]) -> Iterator[Finding]:
    """Pairs of different items whose centred latents have a cosine of at least .98, in all and between sides."""
    names = list(parts)
    side = np.repeat(np.arange(len(names)), [len(parts[name].items) for name in names])
    ids = [item for name in names for item in parts[name].items.ids]
    contents = np.array([content for name in names for content in parts[name].items.contents], dtype=object)
    groups = [group for name in names for group in parts[name].groups]
    vectors = np.concatenate([parts[name].means for name in names])
    vectors = normalize(vectors - vectors.mean(axis=0))
    total, between, example = 0, 0, ("", "")
    for start in range(0, len(vectors), BLOCK):
        scores = vectors[start : start + BLOCK] @ vectors.T
        rows, columns = np.nonzero(scores >= NEAR)
        rows = rows + start
        kept = (rows < columns) & (contents[rows] != contents[columns])
        for row, column in zip(rows[kept], columns[kept], strict=True):
            if groups[row] == groups[column]:
                continue
            total += 1
            if side[row] != side[column]:
                between += 1
                example = ids[row], ids[column]
            elif not any(example):
                example = ids[row], ids[column]
    what = f"(cosine of centred latents at least {NEAR}; items of one group left out)"
    if not total:
        yield Finding(level="good", topic="near-duplicates", text=f"none {what}")
        return
    text = f"{total} pairs, {between} of them between sides of the split, such as {some(list(example))} {what}"
    if between:
        text += "; give such items one group"
    yield Finding(level="warning", topic="near-duplicates", text=text)
