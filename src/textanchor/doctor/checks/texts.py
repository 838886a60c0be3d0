"""What the texts are like, and what the anchor makes of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from sklearn.preprocessing import normalize

from textanchor.doctor.examined import Examined
from textanchor.doctor.findings import Finding, some
from textanchor.records import PairedLatents, Pooled
from textanchor.space.items import TEXT
from textanchor.space.remarks import cut_off

ALIKE, SEEN, ROWS = 0.9, 5, 3000


def check(examined: Examined) -> Iterator[Finding]:
    """Of each modality's training and validation texts."""
    anchor, wording = examined.ready.base.encoder(TEXT), examined.ready.wording
    for modality, sides in examined.sides.items():
        pairs = _without_latents(sides.train).joined(_without_latents(sides.val))
        cut = cut_off(anchor, [(text, *wording.phrasings(text, modality)) for text in pairs.texts])
        for finding in texts(pairs, cut=frozenset(cut)):
            yield replace(finding, modality=modality)


def texts(pairs: PairedLatents, *, cut: frozenset[str] = frozenset()) -> Iterator[Finding]:
    """Repeats, class balance, texts that the anchor hardly tells apart, and its anisotropy floor.

    Texts of which it reads the beginning alone (`cut`) are not told apart for that reason.
    """
    uses = Counter(pairs.edges[:, 1].tolist())
    if 2 * len(pairs.texts) <= len(pairs.edges):
        yield from _classes(pairs, uses)
    else:
        yield _captions(pairs, uses)
    yield from _angles(pairs, cut)


def _captions(pairs: PairedLatents, uses: Counter[int]) -> Finding:
    repeated = [pairs.texts[text] for text, count in uses.most_common() if count > 1]
    note = f"{len(pairs.edges)} pairs of {len(pairs.items)} items with {len(pairs.texts)} distinct texts"
    if repeated:
        note += f"; {len(repeated)} stand with several items, such as {some(repeated)}: plain contrastive losses punish that"
    return Finding(level="note", topic="texts", text=note)


def _angles(pairs: PairedLatents, cut: frozenset[str]) -> Iterator[Finding]:
    """Of at most 3000 texts, evenly spaced."""
    distinct = len(pairs.texts)
    rows = np.unique(np.linspace(0, distinct - 1, min(ROWS, distinct)).astype(int))
    anchors = pairs.anchors[rows]
    raw, centred = normalize(anchors), normalize(anchors - pairs.anchors.mean(axis=0))
    scores, pairs_of = raw @ raw.T, np.triu_indices(len(rows), 1)
    floor, after = float(scores[pairs_of].mean()), float((centred @ centred.T)[pairs_of].mean())
    text = f"two different texts have a mean cosine of {floor:.3f} ({after:.3f} once centred): the floor of any positive cosine"
    yield Finding(level="note", topic="anisotropy", text=text)
    np.fill_diagonal(scores, -1)
    whole = np.array([pairs.texts[row] not in cut for row in rows])
    scores *= whole[:, None] | whole
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
    if rare := [pairs.texts[text] for text, count in order if count < SEEN]:
        yield Finding(level="warning", topic="classes", text=f"{len(rare)} classes have fewer than {SEEN} items: {some(rare)}")
    groups: dict[int, set[str]] = {}
    for item, text_row in pairs.edges.tolist():
        groups.setdefault(text_row, set()).add(pairs.groups[item])
    if lone := [pairs.texts[text] for text, own in groups.items() if len(own) == 1 and uses[text] > 1]:
        note = f"{len(lone)} classes come from one group alone ({some(lone)}): on another side of a split they are unknown"
        yield Finding(level="warning", topic="classes", text=note)


def _without_latents(pairs: PairedLatents) -> PairedLatents:
    """The same pairs with latents of no length, which cost nothing to join."""
    items = pairs.items
    empty = np.empty((len(items), 0), dtype=np.float32)
    return replace(pairs, items=Pooled(vectors=empty, ids=items.ids, contents=items.contents, fingerprint=items.fingerprint))
