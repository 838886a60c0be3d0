"""Splits that keep every group, and every item by content, on one side."""

from __future__ import annotations

from collections.abc import Mapping

from textanchor.data.assigning import assign
from textanchor.data.joining import apart
from textanchor.data.predefined import predefined
from textanchor.data.rows import UNREAD
from textanchor.data.sides import SIDES, Split, check_apart, units
from textanchor.data.singles import with_singles
from textanchor.errors import InputError
from textanchor.records import Pairs
from textanchor.runtime import Splitting

__all__ = ["SIDES", "Split", "check_apart", "split", "units"]


def split(pairs: Pairs, contents: Mapping[str, str], splitting: Splitting | None = None) -> Split:
    """Train, validation and test ids: the table's own split if it has one, else by unit, stratified by text.

    `contents` maps ids of readable items to content hashes. The same rows and seed give the same split in any row order. What
    has no partner is split afterwards: it changes nothing for the pairs, and never stands in train if it repeats a held-out
    item, group or text. Joined tables are split each by itself, and what one of them holds out the others do not train
    on. Raises `LeakError` for a predefined split that breaks groups without a name, `InputError` where too few texts or groups
    exist.
    """
    asked = splitting or Splitting()
    if pairs.tables:
        return apart({table.source: split(table, contents, asked) for table in pairs.tables}, pairs, contents)
    _enough_texts(pairs, contents)
    told = any(pair.split for pair in pairs.rows) and not asked.resplit
    if told:
        sides, notes, shares = predefined(pairs, contents, asked)
        name = f"predefined ({pairs.split_name})" if shares else "predefined, groups kept apart"
    else:
        sides, notes, shares = assign(pairs, units(pairs, contents), asked.fractions, asked.seed), [], False
        name = f"by group and content, seed {asked.seed}"
    train, val, test = (frozenset(item for item, on in sides.items() if on == side) for side in SIDES)
    settled = Split(train=train, val=val, test=test, name=name, notes=tuple(notes), shares_groups=shares)
    return with_singles(settled, pairs, contents, asked, told=told) if pairs.singles else settled


def _enough_texts(pairs: Pairs, contents: Mapping[str, str]) -> None:
    for modality in pairs.modalities:
        own = pairs.only(modality)
        texts = {pair.text for pair in own.rows if pair.item.id in contents}
        if len(texts) < 2:
            unread = [f"; {one.item}: {one.reason}" for one in pairs.skipped if UNREAD in one.reason][:1]
            raise InputError(
                f"{modality}: {len(texts)} distinct text in {len(own.rows)} pairs; at least 2 are needed to tell items apart"
                f"{''.join(unread)}"
            )
