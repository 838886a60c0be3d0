"""Rows sorted into pairs, what has no partner, and what is left out; and the check that little was lost."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import replace
from itertools import takewhile

from textanchor.data.rows import LOST, UNASKED, Row
from textanchor.data.side_names import settled
from textanchor.data.wording import plain_name
from textanchor.errors import InputError
from textanchor.records import Pair, Single, Skipped

_TWICE = "duplicate of an earlier row"
_SHOWN = 3


class Sorted:
    """What rows come to, one after another."""

    def __init__(self) -> None:
        self.skipped: list[Skipped] = []
        self.unasked = 0
        self.renamed: dict[str, str] = {}
        self._pairs: dict[tuple[str, str, str, str], tuple[Pair, str]] = {}
        self._singles: dict[tuple[str, str, str], tuple[str, Single, str]] = {}
        self._items: dict[str, object] = {}
        self._lost: list[Skipped] = []
        self._rows: set[str] = set()

    def take(self, row: Row) -> None:
        """Keep a row, or what is wrong with it."""
        if row.kind == UNASKED:
            self.unasked += 1
            return
        if (text := plain_name(row.text)) != row.text:
            self.renamed[text] = row.text
            row = replace(row, text=text)
        problem = row.problem or self._kept(row)
        left_out = Skipped(item=row.place, reason=problem)
        if problem:
            self.skipped.append(left_out)
        if row.kind == LOST:
            self._rows.add(row.place)
            if problem and problem != _TWICE:
                self._lost.append(left_out)

    def settled(self) -> tuple[tuple[Pair, ...], tuple[Single, ...]]:
        """Pairs and singles with their sides; singles are of modalities that have pairs, and no item of a pair is one."""
        sides = self._sides()
        pairs = tuple(
            replace(pair, split=side) if (side := sides.get((pair.split or "", folder))) != pair.split else pair
            for pair, folder in self._pairs.values()
        )
        paired = {pair.item.id for pair in pairs}
        modalities = {pair.item.modality for pair in pairs}
        kept = []
        for place, single, folder in self._singles.values():
            problem = ""
            if single.item is not None and single.item.id in paired:
                problem = "no text, and another row of the same item has one"
            elif modalities and single.modality not in (None, *modalities):
                problem = f"no partner, and the table has no pair of {single.modality} that could teach what it means"
            if problem:
                self.skipped.append(Skipped(item=place, reason=problem))
            else:
                kept.append(replace(single, split=sides.get((single.split or "", folder))))
        return pairs, tuple(kept)

    def check_lost(self, source: str, allowed: float) -> None:
        """Raises `InputError` where more than the allowed share of the rows cannot be used."""
        lost, total = len({one.item for one in self._lost}), len(self._rows)
        if not total or lost / total <= allowed:
            return
        kinds = Counter(_family(one.reason) for one in self._lost)
        first = {_family(one.reason): one for one in reversed(self._lost)}
        told = [f"{count} such as {first[kind].item}: {first[kind].reason}" for kind, count in kinds.most_common(_SHOWN)]
        where = "; --root FOLDER says where the names of files begin" if any("no such file" in one for one in told) else ""
        raise InputError(
            f"{source}: {lost} of {total} rows cannot be used, more than the allowed {allowed:.0%}: {'; '.join(told)}{where}; "
            f"mend them, or go on without them: --allow-lost {min(1.0, -(-100 * lost // total) / 100):g}"
        )

    @property
    def sides_from_folders(self) -> str:
        """The sides that the files' folders gave to pairs, or ""."""
        return ", ".join(sorted({side for (told, _), side in self._sides().items() if side and not told}))

    def _sides(self) -> Mapping[tuple[str, str], str | None]:
        """Side by what a row says and what its folders mean: these count where no row says a side and all files lie so."""
        told = {(pair.split or "", folder) for pair, folder in self._pairs.values()}
        every = told | {(single.split or "", folder) for _, single, folder in self._singles.values()}
        named = settled({split: split for split, _ in every if split})
        folders = settled(_sides_below({folder for _, folder in every if folder}))
        if (
            named
            or not all(folders.get(folder) for _, folder in told)
            or len(set(folders.values())) < 2
            or "train" not in folders.values()
        ):
            folders = {}
        return {(split, folder): named.get(split) or folders.get(folder) for split, folder in every}

    def _kept(self, row: Row) -> str:
        """Keep a row, or say what is wrong with it."""
        if row.item is None:
            modality = projected(row.modality) or None
            return self._keep_single(
                row, Single(text=row.text, modality=modality, group=row.group or None, split=row.split or None)
            )
        item = replace(row.item, modality=projected(row.item.modality))
        if self._items.setdefault(item.id, item) != item:
            return f"item '{item.id}' was another file or modality before"
        if not row.text:
            single = Single(item=item, modality=item.modality, group=row.group or None, split=row.split or None)
            return self._keep_single(row, single)
        key = (item.id, row.text, row.group, row.split)  # a second group or side of the same pair must not be lost
        if key in self._pairs:
            return _TWICE
        self._pairs[key] = Pair(item=item, text=row.text, group=row.group or None, split=row.split or None), row.folder
        return ""

    def _keep_single(self, row: Row, single: Single) -> str:
        key = (single.item.id if single.item else "", single.text or "", f"{single.modality} {single.group}")
        if key in self._singles:
            return _TWICE
        self._singles[key] = (row.place, single, row.folder)
        return ""


def projected(modality: str) -> str:
    """An item that is a text gets a projector of its own, as a document; the anchor's texts never do."""
    return "document" if modality == "text" else modality


def _sides_below(folders: Collection[str]) -> dict[str, str]:
    """The side of each path of folders: the first below those that all have in common, which tell nothing apart."""
    paths = {folder: folder.split("/") for folder in folders}
    common = sum(1 for _ in takewhile(lambda level: len(set(level)) == 1, zip(*paths.values(), strict=False)))
    return {folder: side for folder, path in paths.items() if (side := next(filter(None, path[common:]), ""))}


def _family(reason: str) -> str:
    """A reason without what differs from row to row."""
    return re.sub(r"'[^']*'|:.*|\d+", "", reason)
