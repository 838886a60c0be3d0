"""Sides for what has no partner. The split of the pairs is settled before, and is not changed by it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from textanchor.data.assigning import rank
from textanchor.data.sides import SIDES, Split, ties
from textanchor.errors import LeakError
from textanchor.records import Pairs, Single
from textanchor.records.components import components
from textanchor.runtime import Splitting


def with_singles(split: Split, pairs: Pairs, contents: Mapping[str, str], splitting: Splitting, *, told: bool) -> Split:
    """The split with sides for the singles: each goes where what it is tied to already is.

    Ties are equal content and, unless the split shares groups, a group; a text is tied to held-out pairs that it describes.
    Of several sides the most held-out counts. What is tied to no pair goes where the table says (`told`), to train if the table
    has a split and is silent, else to the side that its rank gives it. Raises `LeakError` if the table puts it on another side
    than its group.
    """
    tied = [(single, _nodes(single, contents, groups=not split.shares_groups)) for single in pairs.singles]
    tied = [(single, nodes) for single, nodes in tied if nodes]
    held = _sides_of_pairs(split, pairs, contents)
    if told:
        _refuse_torn(tied, held)
    least = components(nodes for _, nodes in tied)
    bound = _joint_sides((least[node], held.get(node, "")) for _, nodes in tied for node in nodes)
    asked = _joint_sides((least[nodes[0]], single.split or "train" if told else "") for single, nodes in tied)
    sides = []
    for _, nodes in tied:
        name = least[nodes[0]]
        sides.append(bound[name] or asked[name] or _dealt(name, splitting))
    moved = sum(bool(told and single.split and single.split != side) for (single, _), side in zip(tied, sides, strict=True))
    return _placed(split, [single for single, _ in tied], sides, moved)


def _nodes(single: Single, contents: Mapping[str, str], *, groups: bool) -> tuple[str, ...]:
    """What ties a single to others; nothing if its item cannot be read."""
    if single.item is None:
        own = f"text {single.text}"
    elif single.item.id in contents:
        own = f"content {contents[single.item.id]}"
    else:
        return ()
    return (own, f"group {single.group}") if single.group and groups else (own,)


def _sides_of_pairs(split: Split, pairs: Pairs, contents: Mapping[str, str]) -> dict[str, str]:
    """Contents and groups of the pairs, and texts of those held out, each with its most held-out side."""
    paired = {item.id for item in pairs.items}
    on = [(node, split.side(item)) for item, nodes in ties(pairs, contents).items() if item in paired for node in nodes]
    texts = [(f"text {pair.text}", split.side(pair.item.id)) for pair in pairs.rows]
    return _joint_sides([*on, *((node, side) for node, side in texts if side in ("val", "test"))])


def _refuse_torn(tied: Sequence[tuple[Single, tuple[str, ...]]], held: Mapping[str, str]) -> None:
    for single, nodes in tied:
        for node in nodes[1:]:
            if single.split and held.get(node, single.split) != single.split:
                called = single.item.id if single.item is not None else (single.text or "")[:60]
                raise LeakError(
                    f"'{called}' has no partner and stands in {single.split}, its group '{single.group}' in {held[node]}; "
                    "give the group one split, name the exception (--split-name) or split anew (--resplit)"
                )


def _joint_sides(found: Iterable[tuple[str, str]]) -> dict[str, str]:
    """The most held-out side of each name."""
    sides: dict[str, str] = {}
    for name, side in found:
        sides[name] = _later(sides.get(name, ""), side)
    return sides


def _later(one: str, other: str) -> str:
    return max(one, other, key=("", *SIDES).index)


def _dealt(name: str, splitting: Splitting) -> str:
    """A side by rank alone: adding data moves nothing."""
    place = int(rank(splitting.seed, name)[:12], 16) / 16**12
    train, val, _ = splitting.fractions
    return "train" if place < train else "val" if place < train + val else "test"


def _placed(split: Split, singles: Sequence[Single], sides: Sequence[str], moved: int) -> Split:
    items = _joint_sides((single.item.id, side) for single, side in zip(singles, sides, strict=True) if single.item is not None)
    texts = _joint_sides((single.text, side) for single, side in zip(singles, sides, strict=True) if single.text is not None)
    notes = [f"without a partner: {_counted(items, 'items')}, {_counted(texts, 'texts')}"]
    if moved:
        notes.append(f"{moved} rows without a partner moved to the held-out side of the pairs that they repeat")
    added = {side: frozenset(item for item, on in items.items() if on == side) for side in SIDES}
    return replace(
        split,
        train=split.train | added["train"],
        val=split.val | added["val"],
        test=split.test | added["test"],
        notes=(*split.notes, *notes),
        lone_texts=texts,
    )


def _counted(sides: Mapping[str, str], what: str) -> str:
    return f"{len(sides)} {what} ({sum(side == 'train' for side in sides.values())} beside train)"
