"""Units dealt to the sides of a split, so that each modality and each text gives every side its share."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

from textanchor.data.sides import SIDES
from textanchor.errors import InputError
from textanchor.records import Pairs

_COMMON = 3  # a stratum of fewer groups cannot reach all three sides


def rank(seed: int, unit: str) -> str:
    """A unit's place in the order in which units are dealt: it depends on its name and the seed, on nothing else."""
    return hashlib.sha256(f"{seed} {unit}".encode()).hexdigest()


def assign(pairs: Pairs, unit_of: Mapping[str, str], fractions: Sequence[float], seed: int) -> dict[str, str]:
    """Item id -> side, stratified by modality and text. Raises `InputError` if a modality has fewer units than sides."""
    members: dict[str, set[str]] = defaultdict(set)
    texts: dict[str, Counter[str]] = defaultdict(Counter)
    for pair in pairs.rows:
        if unit := unit_of.get(pair.item.id):
            members[unit].add(pair.item.id)
            texts[unit][f"{pair.item.modality} {pair.text}"] += 1
    _enough_units(pairs, unit_of, fractions)
    sides: dict[str, str] = {}
    given, total = [0.0] * 3, 0
    for stratum in _strata(members, texts, seed):
        here, size = [0.0] * 3, 0
        for unit in stratum:
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


def _strata(members: Mapping[str, set[str]], texts: Mapping[str, Counter[str]], seed: int) -> list[list[str]]:
    """Units by their commonest text, those of rare texts by modality alone; within a stratum by rank."""
    main = {unit: min(count, key=lambda text: (-count[text], text)) for unit, count in texts.items()}
    common = Counter(main.values())
    strata = defaultdict(list)
    for unit in sorted(members, key=lambda unit: rank(seed, unit)):
        rare = common[main[unit]] < _COMMON
        strata[main[unit].split(" ", 1)[0] if rare else main[unit]].append(unit)
    return [units for _, units in sorted(strata.items())]


def _fill_empty_sides(
    sides: dict[str, str], members: Mapping[str, set[str]], items: set[str], fractions: Sequence[float]
) -> None:
    """Every wanted side gets at least one unit of each modality, taken from the side that has most of them."""
    for side, share in zip(SIDES, fractions, strict=True):
        units = defaultdict(list)
        for unit, inside in members.items():
            if inside & items:
                units[sides[next(iter(inside))]].append(unit)
        if share and not units[side]:
            donor = max(SIDES, key=lambda name: len(units[name]))
            smallest = min(units[donor], key=lambda unit: (len(members[unit]), unit))
            sides.update(dict.fromkeys(members[smallest], side))


def _enough_units(pairs: Pairs, unit_of: Mapping[str, str], fractions: Sequence[float]) -> None:
    needed = sum(share > 0 for share in fractions)
    for modality in pairs.modalities:
        items = [item.id for item in pairs.only(modality).items if item.id in unit_of]
        units = len({unit_of[item] for item in items})
        if units < needed:
            raise InputError(
                f"{modality}: {len(items)} items in {units} independent groups cannot be split into {needed} sides; "
                "at least one group a side is needed: add data, or drop a `group` column that joins too much"
            )
