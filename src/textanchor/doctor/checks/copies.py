"""Items that are the same, byte by byte or once decoded."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from textanchor.doctor.examined import Examined
from textanchor.doctor.findings import Finding, some
from textanchor.records import Pairs
from textanchor.space.saved_again import Held, sentence


def check(examined: Examined) -> Iterator[Finding]:
    """How many there are, with contradicting texts, and on several sides of the split."""
    pairs, hashes = examined.ready.pairs, examined.ready.hashes
    items: dict[str, list[str]] = defaultdict(list)
    for item in pairs.items:
        if item.id in hashes:
            items[hashes[item.id]].append(item.id)
    repeated = [ids for ids in items.values() if len(ids) > 1]
    if not repeated and not examined.again:
        yield Finding(level="good", topic="copies", text="no item stands twice under different names")
        return
    yield from _in_bytes(repeated)
    yield from _once_decoded(examined.again)
    texts = _texts(pairs, hashes)
    same = [*repeated, *([one.name for one in own] for own in examined.again)]
    if clash := [ids for ids in same if len({frozenset(texts.get(item, ())) for item in ids if item in texts}) > 1]:
        text = f"{len(clash)} of them under different texts, such as {some(clash[0])}"
        yield Finding(level="warning", topic="copies", text=text)
    if crossing := [items[content] for content, sides in _own_sides(pairs, hashes).items() if len(sides) > 1]:
        text = f"{len(crossing)} contents stand on several sides of the split, such as {some(crossing[0])}"
        yield Finding(level="leak", topic="copies", text=text + "; fits leave out all but the held-out one")


def _in_bytes(repeated: Sequence[Sequence[str]]) -> Iterator[Finding]:
    if repeated:
        extra = sum(len(ids) - 1 for ids in repeated)
        text = f"{extra} items are byte-identical to others, such as {some(repeated[0])}"
        yield Finding(level="warning", topic="copies", text=text)


def _once_decoded(again: Sequence[Sequence[Held]]) -> Iterator[Finding]:
    """Other bytes, the same pixels or samples: nothing keeps them on one side of the split."""
    if again:
        extra, first = sum(len(own) - 1 for own in again), [one.name for one in again[0]]
        text = f"{extra} items are others saved again, the same once decoded, such as {some(first)}"
        yield Finding(level="warning", topic="copies", text=text)
    if text := sentence(again):
        yield Finding(level="leak", topic="copies", text=f"{text}; give them one group (--merged FILE writes the table so)")


def _texts(pairs: Pairs, hashes: Mapping[str, str]) -> dict[str, set[str]]:
    """Texts by item."""
    texts: dict[str, set[str]] = defaultdict(set)
    for pair in pairs.rows:
        if pair.item.id in hashes:
            texts[pair.item.id].add(pair.text)
    return texts


def _own_sides(pairs: Pairs, hashes: Mapping[str, str]) -> dict[str, set[str]]:
    """By content the sides that the table names."""
    sides: dict[str, set[str]] = defaultdict(set)
    for pair in pairs.rows:
        if pair.item.id in hashes and pair.split:
            sides[hashes[pair.item.id]].add(pair.split)
    return sides
