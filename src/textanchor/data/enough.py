"""Modalities with too little data beside those that have enough: they are left out by name and stop nothing."""

from __future__ import annotations

from collections.abc import Mapping

from textanchor.data.joining import of_tables
from textanchor.data.sides import units
from textanchor.records import Pairs
from textanchor.records.items import Single
from textanchor.runtime import Splitting


def with_enough(pairs: Pairs, contents: Mapping[str, str], splitting: Splitting) -> tuple[Pairs, tuple[str, ...]]:
    """The pairs without the modalities that cannot be split or learned from, and a line on each of these.

    Where no modality has enough, all stay, and what splits them says why it cannot.
    """
    if pairs.tables:
        each = [with_enough(table, contents, splitting) for table in pairs.tables]
        lines = [f"{table.source}: {line}" for table, own in each for line in own]
        return of_tables([table for table, _ in each]), tuple(lines)
    told = any(pair.split for pair in pairs.rows) and not splitting.resplit
    lacking = {
        modality: why for modality in pairs.modalities if (why := _lack(pairs.only(modality), contents, splitting, told))
    }
    if not lacking or len(lacking) == len(pairs.modalities):
        return pairs, ()
    rows = tuple(pair for pair in pairs.rows if pair.item.modality not in lacking)
    singles = tuple(single for single in pairs.singles if _modality(single) not in lacking)
    kept = Pairs(
        rows=rows,
        singles=singles,
        skipped=pairs.skipped,
        split_name=pairs.split_name,
        source=pairs.source,
        place=pairs.place,
        taken=pairs.taken,
    )
    return kept, tuple(f"{modality} is left out: {why}" for modality, why in lacking.items())


def _modality(single: Single) -> str | None:
    return single.item.modality if single.item is not None else single.modality


def _lack(own: Pairs, contents: Mapping[str, str], splitting: Splitting, told: bool) -> str:
    """What a modality lacks, or nothing."""
    readable = [pair for pair in own.rows if pair.item.id in contents]
    rows = [pair for pair in readable if pair.split == "train"] if told else readable
    texts = len({pair.text for pair in rows})
    where = " on train" if told else ""
    if texts < 2:
        return f"{texts} distinct text{where} in {len(rows)} pairs, at least 2 are needed to tell items apart"
    if told and splitting.fractions[1] and not any(pair.split == "val" for pair in readable):
        train = {pair.item.id for pair in rows}
        apart = len({unit for item, unit in units(own, contents).items() if item in train})
        return "" if apart > 1 else "1 independent group on train, at least 2 are needed to give validation one"
    sides = sum(share > 0 for share in splitting.fractions)
    groups = len(set(units(own, contents).values()))
    if not told and groups < sides:
        return f"{groups} independent groups, at least {sides} are needed for {sides} sides"
    return ""
