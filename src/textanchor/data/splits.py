"""Splits that keep every group, and every item by content, on one side."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from textanchor.errors import InputError, LeakError
from textanchor.records import PairedLatents, Pairs

SIDES = ("train", "val", "test")
FRACTIONS = (0.7, 0.1, 0.2)
_COMMON = 3  # a stratum of fewer groups cannot reach all three sides


@dataclass(frozen=True, kw_only=True)
class Split:
    """Item ids of each side, what kind of split it is, and remarks that belong beside every figure."""

    train: frozenset[str]
    val: frozenset[str]
    test: frozenset[str]
    name: str
    notes: tuple[str, ...] = ()
    shares_groups: bool = False

    def side(self, item_id: str) -> str:
        """Side of an item, or "" if it is on none."""
        return next((side for side in SIDES if item_id in getattr(self, side)), "")


def units(pairs: Pairs, contents: Mapping[str, str]) -> dict[str, str]:
    """Item id -> name of the unit it moves with: items joined by a group, or by equal content, transitively."""
    parent: dict[str, str] = {}

    def root(node: str) -> str:
        while parent.setdefault(node, node) != node:
            parent[node] = parent[parent[node]]
            node = parent[node]
        return node

    for pair in pairs.rows:
        if pair.item.id in contents:
            ties = [f"content {contents[pair.item.id]}", *([f"group {pair.group}"] if pair.group else [])]
            low, high = sorted((root(ties[0]), root(ties[-1])))
            parent[high] = low
    return {item.id: root(f"content {contents[item.id]}") for item in pairs.items if item.id in contents}


def split(
    pairs: Pairs,
    contents: Mapping[str, str],
    *,
    fractions: Sequence[float] = FRACTIONS,
    seed: int = 0,
    ignore_predefined: bool = False,
) -> Split:
    """Train, validation and test ids: the table's own split if it has one, else by unit, stratified by text.

    `fractions` are of items and sum to 1. The same rows and seed give the same split in any row order. Raises `LeakError`
    for a predefined split that breaks groups without a name, `InputError` where too few texts or groups exist.
    """
    if len(fractions) != 3 or min(fractions) < 0 or abs(sum(fractions) - 1) > 1e-6 or not fractions[0]:
        raise InputError(f"split fractions {tuple(fractions)} must be three numbers >= 0 that sum to 1, the first above 0")
    _enough_texts(pairs, contents)
    unit_of = units(pairs, contents)
    if any(pair.split for pair in pairs.rows) and not ignore_predefined:
        return _predefined(pairs, contents, unit_of, fractions, seed)
    sides = _assign(pairs, unit_of, fractions, seed)
    return _made(sides, name=f"by group and content, seed {seed}")


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


def _enough_texts(pairs: Pairs, contents: Mapping[str, str]) -> None:
    for modality in pairs.modalities:
        held = pairs.only(modality)
        texts = {pair.text for pair in held.rows if pair.item.id in contents}
        if len(texts) < 2:
            raise InputError(
                f"{modality}: {len(texts)} distinct text in {len(held.rows)} pairs; at least 2 are needed to tell items apart"
            )


def _made(sides: Mapping[str, str], *, name: str, notes: tuple[str, ...] = (), shares_groups: bool = False) -> Split:
    train, val, test = (frozenset(item for item, held in sides.items() if held == side) for side in SIDES)
    return Split(train=train, val=val, test=test, name=name, notes=notes, shares_groups=shares_groups)


def _rank(seed: int, unit: str) -> str:
    return hashlib.sha256(f"{seed} {unit}".encode()).hexdigest()


def _assign(pairs: Pairs, unit_of: Mapping[str, str], fractions: Sequence[float], seed: int) -> dict[str, str]:
    """Each modality and text gives every side its share, unit by unit in an order that only the seed decides."""
    members: dict[str, set[str]] = defaultdict(set)
    texts: dict[str, Counter[str]] = defaultdict(Counter)
    for pair in pairs.rows:
        if unit := unit_of.get(pair.item.id):
            members[unit].add(pair.item.id)
            texts[unit][f"{pair.item.modality} {pair.text}"] += 1
    _enough_units(pairs, unit_of, fractions)
    main = {unit: min(count, key=lambda text: (-count[text], text)) for unit, count in texts.items()}
    common = Counter(main.values())
    strata = defaultdict(list)
    for unit in sorted(members, key=lambda unit: _rank(seed, unit)):
        rare = common[main[unit]] < _COMMON
        strata[main[unit].split(" ", 1)[0] if rare else main[unit]].append(unit)
    sides: dict[str, str] = {}
    given, total = [0.0] * 3, 0
    for _, held in sorted(strata.items()):
        here, size = [0.0] * 3, 0
        for unit in held:
            weight = len(members[unit])
            size, total = size + weight, total + weight
            lack = [share * (size + total) - here[k] - given[k] for k, share in enumerate(fractions)]
            best = max((k for k in range(3) if fractions[k]), key=lambda k: (lack[k], -k))
            here[best] += weight
            given[best] += weight
            sides.update(dict.fromkeys(members[unit], SIDES[best]))
    for modality in pairs.modalities:
        _fill_empty_sides(sides, members, {item.id for item in pairs.only(modality).items}, fractions)
    return sides


def _fill_empty_sides(
    sides: dict[str, str], members: Mapping[str, set[str]], items: set[str], fractions: Sequence[float]
) -> None:
    """Every wanted side gets at least one unit of each modality, taken from the side that has most of them."""
    for side, share in zip(SIDES, fractions, strict=True):
        held = defaultdict(list)
        for unit, inside in members.items():
            if inside & items:
                held[sides[next(iter(inside))]].append(unit)
        if share and not held[side]:
            donor = max(SIDES, key=lambda name: len(held[name]))
            unit = min(held[donor], key=lambda unit: (len(members[unit]), unit))
            sides.update(dict.fromkeys(members[unit], side))


def _enough_units(pairs: Pairs, unit_of: Mapping[str, str], fractions: Sequence[float]) -> None:
    needed = sum(share > 0 for share in fractions)
    for modality in pairs.modalities:
        items = [item.id for item in pairs.only(modality).items if item.id in unit_of]
        held = len({unit_of[item] for item in items})
        if held < needed:
            raise InputError(
                f"{modality}: {len(items)} items in {held} independent groups cannot be split into {needed} sides; "
                "at least one group a side is needed: add data, or drop a `group` column that joins too much"
            )


def _predefined(
    pairs: Pairs, contents: Mapping[str, str], unit_of: Mapping[str, str], fractions: Sequence[float], seed: int
) -> Split:
    told: dict[str, str] = {}
    for pair in pairs.rows:
        if pair.item.id in contents:
            if not pair.split:
                raise InputError(f"item '{pair.item.id}' has no split while others have; fill the column or drop it")
            if told.setdefault(pair.item.id, pair.split) != pair.split:
                raise LeakError(
                    f"item '{pair.item.id}' stands in {told[pair.item.id]} and {pair.split}; give each item one split"
                )
    if "train" not in told.values():
        raise InputError(f"the split column names {', '.join(sorted(set(told.values())))} but no train")
    notes, shared = [], _shared_groups(pairs, told)
    if shared and not pairs.split_name:
        raise LeakError(
            f"the predefined split puts {len(shared)} groups on both sides (such as '{shared[0]}'); "
            'name the exception (--split-name "official, speakers shared") or split anew (--resplit)'
        )
    if shared:
        notes.append(f"{len(shared)} groups on both sides by the split's own definition")
    copies = _drop_copies(told, contents)
    if copies:
        notes.append(f"{copies} training or validation items left out: byte-identical to held-out ones")
    name = f"predefined ({pairs.split_name})" if shared else "predefined, groups kept apart"
    if fractions[1] and (carved := _carve_validation(pairs, told, contents if shared else unit_of, fractions, seed)):
        whose = f" of {', '.join(carved)}" if len(carved) < len(pairs.modalities) else ""
        notes.append(f"validation{whose} carved from train by {'content' if shared else 'group'}, seed {seed}")
    return _made(told, name=name, notes=tuple(notes), shares_groups=bool(shared))


def _shared_groups(pairs: Pairs, told: Mapping[str, str]) -> list[str]:
    sides: dict[str, set[str]] = defaultdict(set)
    for pair in pairs.rows:
        if pair.group and pair.item.id in told:
            sides[pair.group].add(told[pair.item.id])
    return sorted(group for group, held in sides.items() if len(held) > 1)


def _drop_copies(told: dict[str, str], contents: Mapping[str, str]) -> int:
    """Keep equal content on the most held-out side only."""
    latest: dict[str, int] = {}
    for item, side in told.items():
        latest[contents[item]] = max(latest.get(contents[item], 0), SIDES.index(side))
    copies = [item for item, side in told.items() if SIDES.index(side) < latest[contents[item]]]
    for item in copies:
        del told[item]
    return len(copies)


def _carve_validation(
    pairs: Pairs, told: dict[str, str], unit_of: Mapping[str, str], fractions: Sequence[float], seed: int
) -> list[str]:
    """Move part of train to validation for the modalities that have none, and name them; groups that hold others stay.

    A modality of one group stays too where others have validation. Where the split shares groups by definition, validation
    shares them too.
    """
    share = fractions[1] / (fractions[0] + fractions[1])
    judged = {pair.item.modality for pair in pairs.rows if told.get(pair.item.id) == "val"}
    train = [(pair, unit_of[pair.item.id]) for pair in pairs.rows if told.get(pair.item.id) == "train"]
    carved, before = [modality for modality in pairs.modalities if modality not in judged], None
    while carved != before:
        fixed = {unit for pair, unit in train if pair.item.modality not in carved}
        free = {modality: {unit for pair, unit in train if pair.item.modality == modality} - fixed for modality in carved}
        before, carved = carved, [modality for modality in carved if len(free[modality]) > 1 or not judged]
    rows = tuple(pair for pair, unit in train if pair.item.modality in carved and unit not in fixed)
    inner = {pair.item.id: unit_of[pair.item.id] for pair in rows}
    told.update(_assign(Pairs(rows=rows), inner, (1 - share, share, 0.0), seed))
    return carved
