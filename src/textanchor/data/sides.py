"""The sides of a split, what must not be torn between them, and the check that nothing is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from textanchor.errors import LeakError
from textanchor.records import PairedLatents, Pairs, Single
from textanchor.records.components import components

SIDES = ("train", "val", "test")


@dataclass(frozen=True, kw_only=True)
class Split:
    """Item ids of each side, what kind of split it is, and remarks that belong beside every figure.

    Items without a text are on the sides too; `lone_texts` are the sides of texts without an item. `sharing` are the items of
    those joined tables whose own split shares groups by definition.
    """

    train: frozenset[str]
    val: frozenset[str]
    test: frozenset[str]
    name: str
    notes: tuple[str, ...] = ()
    shares_groups: bool = False
    lone_texts: Mapping[str, str] = field(default_factory=dict)
    sharing: frozenset[str] = frozenset()

    def __repr__(self) -> str:
        return f"Split({self.name}; {', '.join(f'{len(getattr(self, side))} {side}' for side in SIDES)})"

    def side(self, item_id: str) -> str:
        """Side of an item, or "" if it is on none."""
        return next((side for side in SIDES if item_id in getattr(self, side)), "")

    def keeps_group(self, item_id: str) -> bool:
        """Whether the groups of an item stand on one side."""
        return item_id not in self.sharing if self.sharing else not self.shares_groups

    def single_side(self, single: Single) -> str:
        """Side of what has no partner, or "" if it is on none."""
        return self.side(single.item.id) if single.item is not None else self.lone_texts.get(single.text or "", "")


def ties(pairs: Pairs, contents: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    """Item id -> what it shares with others: its content and its groups."""
    return {
        item.id: (f"content {contents[item.id]}", *(f"group {group}" for group in pairs.groups.get(item.id, ())))
        for item in (*pairs.items, *pairs.lone_items)
        if item.id in contents
    }


def units(pairs: Pairs, contents: Mapping[str, str]) -> dict[str, str]:
    """Item id -> name of the unit it moves with: paired items joined by a group, or by equal content, transitively."""
    own = {item.id for item in pairs.items}
    tied = {item: shared for item, shared in ties(pairs, contents).items() if item in own}
    least = components(tied.values())
    return {item: least[shared[0]] for item, shared in tied.items()}


def check_apart(sides: Mapping[str, PairedLatents], *, shares_groups: bool) -> None:
    """Raise `LeakError` if two sides have an item in common, by content, or a group unless the split shares them by
    definition."""
    names = list(sides)
    for place, one in enumerate(names):
        for other in names[place + 1 :]:
            kinds = [("item", sides[one].items.contents, sides[other].items.contents)]
            if not shares_groups:
                kinds.append(("group", sides[one].groups, sides[other].groups))
            for kind, left, right in kinds:
                if both := set(left) & set(right):
                    raise LeakError(
                        f"{len(both)} {kind}s stand in {one} and in {other} (such as '{min(both)[:60]}'); "
                        "nothing that judges may have been fitted or selected on"
                    )
