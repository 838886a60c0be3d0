"""What the texts are like, and what the anchor makes of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import numpy as np
from sklearn.preprocessing import normalize

from textanchor.doctor.findings import Finding, some
from textanchor.records import PairedLatents

ALIKE, SEEN, ROWS = 0.9, 5, 3000


def texts(pairs: PairedLatents) -> Iterator[Finding]:
    """Repeats, class balance, texts that the anchor hardly tells apart, and its anisotropy floor."""
    uses = Counter(pairs.edges[:, 1].tolist())
    distinct, edges, items = len(pairs.texts), len(pairs.edges), len(pairs.items)
    if 2 * distinct <= edges:
        yield from _classes(pairs, uses)
    else:
        repeated = [pairs.texts[text] for text, count in uses.most_common() if count > 1]
        note = f"{edges} pairs of {items} items with {distinct} distinct texts"
        if repeated:
            note += (
                f"; {len(repeated)} stand with several items, such as {some(repeated)}: plain contrastive losses punish that"
            )
        yield Finding(level="note", topic="texts", text=note)
    rows = np.unique(np.linspace(0, distinct - 1, min(ROWS, distinct)).astype(int))
    raw, centred = (normalize(one) for one in (pairs.anchors[rows], pairs.anchors[rows] - pairs.anchors.mean(axis=0)))
    scores = raw @ raw.T
    pairs_of = np.triu_indices(len(rows), 1)
    floor, after = float(scores[pairs_of].mean()), float((centred @ centred.T)[pairs_of].mean())
    text = f"two different texts have a mean cosine of {floor:.3f} ({after:.3f} once centred): the floor of any positive cosine"
    yield Finding(level="note", topic="anisotropy", text=text)
    np.fill_diagonal(scores, -1)
    if distinct < ROWS and (close := np.argwhere(np.triu(scores) >= ALIKE)).size:
        first, second = (pairs.texts[rows[place]] for place in close[0])
        text = f"{len(close)} pairs of texts have a cosine of {ALIKE} or more, such as '{first[:60]}' and '{second[:60]}': "
        yield Finding(level="warning", topic="texts", text=text + "what the anchor cannot tell apart, no projector can")


def _classes(pairs: PairedLatents, uses: Counter[int]) -> Iterator[Finding]:
    order = uses.most_common()
    (most, high), (least, low) = order[0], order[-1]
    text = (
        f"{len(uses)} classes of {low} ('{pairs.texts[least][:40]}') to {high} ('{pairs.texts[most][:40]}') items; "
        "equal texts are positives of each other, and losses that do not know it fail"
    )
    yield Finding(level="note", topic="classes", text=text)
    if high > 10 * low:
        yield Finding(level="warning", topic="classes", text=f"the largest class is {high / low:.0f} times the smallest")
    if rare := [pairs.texts[text_] for text_, count in order if count < SEEN]:
        yield Finding(level="warning", topic="classes", text=f"{len(rare)} classes have fewer than {SEEN} items: {some(rare)}")
    groups: dict[int, set[str]] = {}
    for item, text_ in pairs.edges:
        groups.setdefault(int(text_), set()).add(pairs.groups[item])
    if lone := [pairs.texts[text_] for text_, held in groups.items() if len(held) == 1 and uses[text_] > 1]:
        note = f"{len(lone)} classes come from one group alone ({some(lone)}): on another side of a split they are unknown"
        yield Finding(level="warning", topic="classes", text=note)
