"""The split that a table brings: taken as it is, checked for leaks, and given a validation side where it has none."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

from textanchor.data.assigning import assign
from textanchor.data.sides import SIDES, units
from textanchor.errors import InputError, LeakError
from textanchor.records import Pairs
from textanchor.runtime import Splitting


def predefined(pairs: Pairs, contents: Mapping[str, str], splitting: Splitting) -> tuple[dict[str, str], list[str], bool]:
    """Item id -> side, notes, and whether the split shares groups by its own definition.

    Raises `LeakError` for an item, or without a name for a group, on two sides, `InputError` for an item without a side.
    """
    sides = _told(pairs, contents)
    notes, shared = [], _shared_groups(pairs, sides)
    if shared and not pairs.split_name:
        raise LeakError(
            f"the predefined split puts {len(shared)} groups on both sides (such as '{shared[0]}'); "
            'name the exception (--split-name "official, speakers shared") or split anew (--resplit)'
        )
    if shared:
        notes.append(f"{len(shared)} groups on both sides by the split's own definition")
    copies = _drop_copies(sides, contents)
    if copies:
        notes.append(f"{copies} training or validation items left out: byte-identical to held-out ones")
    if splitting.fractions[1]:
        unit_of = {item: contents[item] for item in sides} if shared else units(pairs, contents)
        carved = _carve_validation(pairs, sides, unit_of, splitting)
        if carved:
            whose = f" of {', '.join(carved)}" if len(carved) < len(pairs.modalities) else ""
            kind = "content" if shared else "group"
            notes.append(f"validation{whose} carved from train by {kind}, seed {splitting.seed}")
    return sides, notes, bool(shared)


def _told(pairs: Pairs, contents: Mapping[str, str]) -> dict[str, str]:
    sides: dict[str, str] = {}
    for pair in pairs.rows:
        item = pair.item.id
        if item not in contents:
            continue
        if not pair.split:
            raise InputError(f"item '{item}' has no split while others have; fill the column or drop it")
        if sides.setdefault(item, pair.split) != pair.split:
            raise LeakError(f"item '{item}' stands in {sides[item]} and {pair.split}; give each item one split")
    if "train" not in sides.values():
        raise InputError(f"the split column names {', '.join(sorted(set(sides.values())))} but no train")
    return sides


def _shared_groups(pairs: Pairs, sides: Mapping[str, str]) -> list[str]:
    sides_of: dict[str, set[str]] = defaultdict(set)
    for pair in pairs.rows:
        if pair.group and pair.item.id in sides:
            sides_of[pair.group].add(sides[pair.item.id])
    return sorted(group for group, on in sides_of.items() if len(on) > 1)


def _drop_copies(sides: dict[str, str], contents: Mapping[str, str]) -> int:
    """Keep equal content on the most held-out side only."""
    latest: dict[str, int] = {}
    for item, side in sides.items():
        latest[contents[item]] = max(latest.get(contents[item], 0), SIDES.index(side))
    copies = [item for item, side in sides.items() if SIDES.index(side) < latest[contents[item]]]
    for item in copies:
        del sides[item]
    return len(copies)


def _carve_validation(pairs: Pairs, sides: dict[str, str], unit_of: Mapping[str, str], splitting: Splitting) -> list[str]:
    """Move part of train to validation for the modalities that have none, and name them.

    Where the split shares groups by definition, validation shares them too.
    """
    judged = {pair.item.modality for pair in pairs.rows if sides.get(pair.item.id) == "val"}
    units_of = _train_units(pairs, sides, unit_of)
    lacking = [modality for modality in pairs.modalities if modality not in judged]
    carved, free = _carvable(lacking, units_of, spare_single=bool(judged))
    rows = tuple(
        pair
        for pair in pairs.rows
        if sides.get(pair.item.id) == "train" and pair.item.modality in carved and unit_of[pair.item.id] in free
    )
    train, val, _ = splitting.fractions
    share = val / (train + val)
    inner = {pair.item.id: unit_of[pair.item.id] for pair in rows}
    sides.update(assign(Pairs(rows=rows), inner, (1 - share, share, 0.0), splitting.seed))
    return carved


def _train_units(pairs: Pairs, sides: Mapping[str, str], unit_of: Mapping[str, str]) -> dict[str, set[str]]:
    """Modality -> the units of its training items."""
    found: dict[str, set[str]] = {modality: set() for modality in pairs.modalities}
    for pair in pairs.rows:
        if sides.get(pair.item.id) == "train":
            found[pair.item.modality].add(unit_of[pair.item.id])
    return found


def _carvable(lacking: list[str], units_of: Mapping[str, set[str]], *, spare_single: bool) -> tuple[list[str], set[str]]:
    """Which modalities can give units to validation, and the units that hold no item of any other modality.

    With `spare_single` a modality of one such unit keeps it. Each that drops out may bind units of those that remain.
    """
    carved = lacking
    while True:
        bound = {unit for modality, units in units_of.items() if modality not in carved for unit in units}
        free = {modality: units_of[modality] - bound for modality in carved}
        kept = [modality for modality in carved if len(free[modality]) > 1 or not spare_single]
        if kept == carved:
            return carved, {unit for units in free.values() for unit in units}
        carved = kept
