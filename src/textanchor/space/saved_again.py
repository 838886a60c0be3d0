"""Items that are others saved again: the same pixels, samples or words in files whose bytes differ."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from textanchor.data.sides import SIDES
from textanchor.latents.copies import decoded_contents, whole_contents
from textanchor.space.preparing import Prepared


@dataclass(frozen=True, kw_only=True)
class Held:
    """What one whole item holds once decoded, a hash, and where it stands: its side ("" for none), group and texts."""

    name: str
    content: str
    side: str
    group: str


def held(ready: Prepared) -> list[Held]:
    """Every readable item, in order; the test side is decoded for it, and not encoded."""
    items = [*ready.pairs.items, *ready.pairs.lone_items]
    decoded = decoded_contents(items, ready.hashes, ready.runtime)
    groups = ready.pairs.joined_groups
    return [
        Held(name=name, content=content, side=ready.split.side(parts[0]), group=groups.get(parts[0], f"item {parts[0]}"))
        for name, (content, parts) in whole_contents(items, decoded).items()
    ]


def saved_again(ready: Prepared, all_held: Sequence[Held]) -> list[list[Held]]:
    """Sets of items that hold the same in files of other bytes; of equal bytes one item stands for all."""
    first = {item.id: ready.hashes[item.id] for item in ready.pairs.items if item.id in ready.hashes}
    sets: dict[str, dict[str, Held]] = defaultdict(dict)
    for one in sorted(all_held, key=lambda one: not one.side):
        sets[one.content].setdefault(first.get(one.name, one.name), one)
    return [list(found.values()) for found in sets.values() if len(found) > 1]


def across(sets: Sequence[Sequence[Held]]) -> list[list[Held]]:
    """Those sets that stand on several sides, the items of the earliest side first."""
    found = [sorted((one for one in own if one.side), key=lambda one: SIDES.index(one.side)) for own in sets]
    return [own for own in found if own and own[0].side != own[-1].side]


def repeated(sets: Sequence[Sequence[Held]]) -> int:
    """How many items hold what an item of an earlier side holds."""
    return sum(one.side != own[0].side for own in across(sets) for one in own)


def sentence(sets: Sequence[Sequence[Held]]) -> str:
    """What is wrong with items on several sides, with one such pair; "" if nothing is."""
    if not (crossing := across(sets)):
        return ""
    count, first, last = repeated(sets), crossing[0][0], crossing[0][-1]
    what = "held-out item is another" if count == 1 else "held-out items are others"
    example = f"'{last.name[-60:]}' in {last.side} and '{first.name[-60:]}' in {first.side}"
    return f"{count} {what} of an earlier side saved again, such as {example}: the same once decoded, so figures are too good"


def seen_contents(all_held: Sequence[Held]) -> Mapping[str, str]:
    """By decoded content the side that was fitted or selected on; training wins."""
    order = ("val", "train")
    return {one.content: one.side for side in order for one in all_held if one.side == side}
