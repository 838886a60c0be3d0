"""Pairs that are added to a modality that a space has already, without losing what it was fitted on before.

Two ways. Rehearsal: the latents of what was fitted are found in the cache again by their contents and fitted together with the
new ones, by any aligner. Statistics: ridge regression and regularised CCA are functions of sums over pairs, which the space
keeps, so old and new sums give the fit of all pairs without any of the old data. A kernel has no such sums of a small size.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from textanchor.aligners.from_sums import from_sums
from textanchor.aligners.sums import Sums
from textanchor.encoders import Encoder, make_single
from textanchor.errors import InputError
from textanchor.latents.recalled import recalled
from textanchor.records import Fit, PairedLatents, Task
from textanchor.space.balancing import weighed
from textanchor.space.memory import Remembered, remembered
from textanchor.space.preparing import Prepared, Sides

WAYS = ("auto", "rehearsal", "statistics", "nothing")
ENOUGH = 0.9  # share of the former latents from which rehearsal is taken


@dataclass(frozen=True, kw_only=True)
class Former:
    """What is kept of a modality: its tables without what the new pairs hold too, by `rehearsal`, `statistics` or `nothing`.

    `pairs` are the rehearsed ones by side, `table_of` the table of each of them.
    """

    way: str
    tables: tuple[Remembered, ...] = ()
    pairs: Mapping[str, PairedLatents] = field(default_factory=dict)
    table_of: Mapping[str, str] = field(default_factory=dict)
    said: str = ""


def checked_way(way: str) -> str:
    """The way itself. Raises `InputError` for one that nobody knows."""
    if way not in WAYS:
        raise InputError(f"keep '{way}': expected one of {', '.join(WAYS)}")
    return way


def consistent(ready: Prepared, way: str) -> Prepared:
    """The pairs with a split in which nothing stands on another side than the space remembers, by content or by group."""
    tables = [one for one in ready.base.memory if one.modality in ready.encoders]
    if way == "nothing" or not tables:
        return ready
    contents = {content: side for one in tables for content, side in zip(one.contents, one.sides, strict=True)}
    groups: dict[str, set[str]] = {}
    for one in tables:
        for group, side in zip(one.groups, one.sides, strict=True):
            groups.setdefault(group, set()).add(side)
    kept, lost = {}, 0
    for side in ("train", "val", "test"):
        own = getattr(ready.split, side)
        fine = frozenset(item for item in own if _same(ready, item, side, contents, groups))
        kept[side], lost = fine, lost + len(own) - len(fine)
    if not lost:
        return ready
    note = f"{lost} items left out: the space has them, or their group, on another side"
    notes = (*ready.split.notes, note)
    return replace(ready, split=replace(ready.split, train=kept["train"], val=kept["val"], test=kept["test"], notes=notes))


def former(ready: Prepared, modality: str, way: str) -> Former:
    """What is kept of a modality that the base space may have. Raises `InputError` where it cannot be kept as asked."""
    base = ready.base
    if modality not in base.modalities or way == "nothing":
        return Former(way="nothing")
    tables = tuple(one for one in base.memory if one.modality == modality)
    encoder = make_single(ready.encoders[modality], modality, ready.runtime, tokens=True)
    if not tables or base.modalities[modality].fingerprint not in (encoder.fingerprint, *getattr(encoder, "formerly", ())):
        why = "it remembers nothing of its pairs" if not tables else "its encoder is another now"
        return Former(way="nothing", said=f"{modality} is fitted anew, without what the space had been fitted on: {why}")
    new = _contents(ready, modality)
    left = tuple(rest for one in tables if (rest := one.without(new)).contents)
    wanted = sum(one.count("train", "val") for one in left)
    if way != "statistics":
        pairs, table_of = _rehearsed(ready, left, encoder)
        found = sum(len(one.items) for one in pairs.values())
        gone = f"{wanted - found} of {wanted} former latents of {modality} are not in the cache any more"
        if found >= ENOUGH * wanted or way == "rehearsal":
            if not found and wanted:
                raise InputError(f"{gone}: encode these items again, say --keep statistics, or --keep nothing")
            said = f"{modality}: {gone}; rehearsed are the others" if found < wanted else ""
            return Former(way="rehearsal", tables=left, pairs=pairs, table_of=table_of, said=said)
    if any(one.sums is None for one in tables if one.count("train", "val")):
        raise InputError(
            f"{modality}: the former latents are not in the cache any more, and the space keeps no sums of them; "
            "encode these items again, or say --keep nothing"
        )
    said = "" if way == "statistics" else f"{modality}: {gone}; its sums are fitted instead, by ridge regression"
    return Former(way="statistics", tables=tables, said=said)


def with_former(own: Sides, old: Former, origins: Mapping[str, str], balance: float) -> Sides:
    """The new sides and the rehearsed ones, each table with its weight."""
    if old.way != "rehearsal":
        return own
    table_of = {**origins, **old.table_of}
    pairs = {}
    for side, new in own.pairs.items():
        both = replace(new, counts=None).joined(old.pairs[side]) if side in old.pairs else new
        pairs[side] = weighed(both, table_of, balance)
    return replace(own, pairs=pairs)


def by_sums(ready: Prepared, modality: str, old: Former, task: Task, balance: float) -> Fit:
    """The fit of the new pairs and of the sums of the old ones. What stands in both counts as new."""
    new = task.train if task.val is None else task.train.joined(task.val)
    place = {content: row for row, content in enumerate(new.items.contents)}
    sums: list[Sums] = []
    for one in old.tables:
        if one.sums is None:
            continue
        twice = set(one.on("train", "val")) & place.keys()
        known = one.sums
        if twice:
            rows = [place[content] for content in one.contents if content in twice]
            latents = new.items.take(rows)
            again = one.paired(replace(latents, ids=latents.contents), ready.embed_texts(one.texts, modality), "train", "val")
            known = known.plus(Sums.of(again), -1.0)
        if known.count > 0:
            sums.append(known)
    texts = tuple(dict.fromkeys(text for one in old.tables for text in _fitted_texts(one) if text not in new.texts))
    own = ready.base.modalities[modality].choice
    return from_sums(sums, lambda size: size**-balance, ready.embed_texts(texts, modality), task, own)


def memory(ready: Prepared, modality: str, old: Former, new: PairedLatents) -> tuple[Remembered, ...]:
    """What the space remembers of a modality afterwards; `new` are the new pairs that were fitted, alone."""
    kept = tuple(one.without(_contents(ready, modality)) for one in old.tables)
    if old.way == "rehearsal" and old.pairs:
        train = old.pairs["train"]
        both = train.joined(old.pairs["val"]) if "val" in old.pairs else train
        kept = tuple(_with_sums(one, both) for one in kept)
    kept = tuple(one for one in kept if one.contents)
    return (*kept, *remembered(ready, modality, new, {one.table for one in kept}))


def _with_sums(one: Remembered, pairs: PairedLatents) -> Remembered:
    """The table with the sums of what is left of it."""
    rows = [row for row, item in enumerate(pairs.items.ids) if item.startswith(f"{one.table}: ")]
    if one.sums is None or not rows or float(one.sums.count) == len(rows):
        return one
    return replace(one, sums=Sums.of(pairs.take(rows)))


def _rehearsed(
    ready: Prepared, tables: Collection[Remembered], encoder: Encoder
) -> tuple[dict[str, PairedLatents], dict[str, str]]:
    """By side all pairs whose latents are found, and the table of each of their items."""
    pairs: dict[str, PairedLatents] = {}
    table_of: dict[str, str] = {}
    for one in tables:
        latents = recalled(one.on("train", "val"), encoder, ready.runtime)
        anchors = ready.embed_texts(one.texts, one.modality)
        for side in ("train", "val"):
            own = one.paired(latents, anchors, side)
            if len(own.items):
                pairs[side] = pairs[side].joined(own) if side in pairs else own
                table_of |= dict.fromkeys(own.items.ids, one.table)
    return pairs, table_of


def _contents(ready: Prepared, modality: str) -> set[str]:
    """Contents of the new pairs that are on a side."""
    own = ready.pairs.only(modality).items
    return {ready.hashes[item.id] for item in own if item.id in ready.hashes and ready.split.side(item.id)}


def _fitted_texts(one: Remembered) -> list[str]:
    fitted = np.array([side in ("train", "val") for side in one.sides], dtype=bool)
    return [one.texts[text] for text in np.unique(one.edges[fitted[one.edges[:, 0]], 1]).tolist()]


def _same(ready: Prepared, item: str, side: str, contents: Mapping[str, str], groups: Mapping[str, set[str]]) -> bool:
    if contents.get(ready.hashes[item], side) != side:
        return False
    keys = ready.group_keys(item) if ready.split.keeps_group(item) else ()
    return all(groups.get(key, {side}) == {side} or len(groups[key]) > 1 for key in keys)
