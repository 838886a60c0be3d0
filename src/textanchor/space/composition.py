"""Items made of parts, such as a video of frames and a sound track: taken apart for encoding and put together again."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from textanchor.data.decoding import PART
from textanchor.data.joining import of_tables
from textanchor.data.readers import part_reader
from textanchor.data.readers.video import PLAN
from textanchor.errors import InputError, ItemError
from textanchor.files import digest
from textanchor.latents.engine import Encoded
from textanchor.records import Item, Pair, Pairs, Pooled, Single, Skipped
from textanchor.records.items import Held

log = logging.getLogger(__name__)
DEFAULTS = {"video": PLAN}
CHUNK = 512  # items whose parts are encoded together

Rows = Mapping[tuple[str, str], tuple[np.ndarray, str]]  # (item, part) -> latent and content hash
Faults = Mapping[str, Sequence[Skipped]]


@dataclass(frozen=True, kw_only=True)
class Composition:
    """Which parts make an item of a modality: `parts` are (part, modality) of what a space can take of `plan`.

    An item's latent is the parts' latents side by side, zeros for a part that the file does not have, and then one number
    a part that says whether it is there.
    """

    modality: str
    plan: str
    parts: tuple[tuple[str, str], ...]

    @property
    def kinds(self) -> tuple[str, ...]:
        """The parts' modalities, in order."""
        return tuple(kind for _, kind in self.parts)

    def fingerprint(self, fingerprints: Mapping[str, str]) -> str:
        """Changes with the plan and the fingerprints of the parts' encoders."""
        return digest("composition", "1", *(f"{part} {fingerprints[kind]}" for part, kind in self.parts))

    def pieces(self, items: Iterable[Item]) -> dict[str, list[Item]]:
        """The parts of all items as items of their own, by modality."""
        pieces: dict[str, list[Item]] = {}
        for item in items:
            for part, kind in self.parts:
                pieces.setdefault(kind, []).append(piece(item, part, kind))
        return pieces

    def check_files(self, items: Iterable[Item]) -> None:
        """Raise `InputError` for an item in memory."""
        for item in items:
            if item.path is None and not isinstance(item.value, Held):
                raise InputError(f"{item.id}: a {self.modality} is embedded from its file, or the bytes of one")

    def assembled(
        self,
        items: Sequence[Item],
        encoded: Mapping[str, Encoded],
        widths: Mapping[str, int],
        fingerprint: str,
        *,
        strict: bool,
    ) -> Encoded:
        """Latents of whole items from those of their parts, by modality. *Shape:* [n, sum of widths + parts].

        An item without any part is left out; one that lost a part by damage is named in the log and goes on with the rest,
        unless `strict`, which raises `ItemError`.
        """
        rows, faults = self._by_owner(items, encoded)
        kept = [item for item in items if any((item.id, part) in rows for part, _ in self.parts)]
        skipped = self._left_out(items, {item.id for item in kept}, faults, strict=strict)
        latents = Pooled(
            vectors=self._side_by_side(kept, rows, widths),
            ids=tuple(item.id for item in kept),
            contents=tuple(self._content(item, rows) for item in kept),
            fingerprint=fingerprint,
        )
        new_pieces = sum(one.new for one in encoded.values())
        new = min(len(kept), -(-new_pieces // len(self.parts)))  # parts are counted one by one, an item is new as a whole
        return Encoded(latents=latents, skipped=skipped, cached=len(kept) - new, new=new)

    def _by_owner(self, items: Sequence[Item], encoded: Mapping[str, Encoded]) -> tuple[Rows, Faults]:
        owners = {piece(item, part, kind).id: (item.id, part) for item in items for part, kind in self.parts}
        rows: dict[tuple[str, str], tuple[np.ndarray, str]] = {}
        faults: dict[str, list[Skipped]] = {}
        for one in encoded.values():
            for row, name in enumerate(one.latents.ids):
                rows[owners[name]] = one.vectors[row], one.latents.contents[row]
            for skipped in one.skipped:
                faults.setdefault(owners[skipped.item][0], []).append(skipped)
        return rows, faults

    def _side_by_side(self, items: Sequence[Item], rows: Rows, widths: Mapping[str, int]) -> np.ndarray:
        total = sum(widths[kind] for kind in self.kinds) + len(self.parts)
        latents = np.zeros((len(items), total), dtype=np.float32)
        for row, item in enumerate(items):
            start = 0
            for place, (part, kind) in enumerate(self.parts):
                if (item.id, part) in rows:
                    latents[row, start : start + widths[kind]] = rows[item.id, part][0]
                    latents[row, place - len(self.parts)] = 1
                start += widths[kind]
        return latents

    def _content(self, item: Item, rows: Rows) -> str:
        """The whole file's hash, which stands before the mark of any of its parts."""
        first = next(rows[item.id, part][1] for part, _ in self.parts if (item.id, part) in rows)
        return first.partition(PART)[0]

    def _left_out(self, items: Sequence[Item], kept: Collection[str], faults: Faults, *, strict: bool) -> tuple[Skipped, ...]:
        skipped = []
        for item in items:
            damage = next((fault for fault in faults.get(item.id, ()) if not fault.absent), None)
            if strict and damage:
                raise ItemError(item.id, damage.reason)
            if item.id not in kept:
                reason = damage.reason if damage else f"none of the parts {self.plan} is in it"
                skipped.append(Skipped(item=item.id, reason=reason))
            elif damage:
                log.warning("%s: %s; embedded from its other parts", item.id, damage.reason)
        return tuple(skipped)


def composition(modality: str, plan: str, kinds: Collection[str]) -> Composition | None:
    """How items of a modality are composed of parts whose modalities are among `kinds`; None if none of them is."""
    parts = tuple((part, kind) for part, kind in part_reader(modality).parts(plan) if kind in kinds)
    return Composition(modality=modality, plan=plan, parts=parts) if parts else None


def compositions(plans: Mapping[str, str], kinds: Collection[str]) -> dict[str, Composition]:
    """By plan, modalities that are none of `kinds` and have parts among them."""
    composed = {name: composition(name, plan, kinds) for name, plan in plans.items() if name not in kinds}
    return {name: one for name, one in composed.items() if one is not None}


def piece(item: Item, part: str, kind: str) -> Item:
    """One part of an item, an item itself."""
    return Item(id=f"{item.id}{PART}{part}", modality=kind, path=item.path, value=item.value, part=f"{item.modality}:{part}")


def expanded(pairs: Pairs, plans: Mapping[str, str]) -> Pairs:
    """The pairs with every row of a composed modality replaced by rows of its parts, which share a group: the whole item."""
    if pairs.tables:
        return of_tables([expanded(table, plans) for table in pairs.tables])
    rows: list[Pair] = []
    for pair in pairs.rows:
        parts = _parts(pair.item, plans)
        if parts is None:
            rows.append(pair)
        else:
            rows += (replace(pair, item=part, group=pair.group or _whole(pair.item)) for part in parts)
    return replace(pairs, rows=tuple(rows), singles=tuple(one for single in pairs.singles for one in _apart(single, plans)))


def _apart(single: Single, plans: Mapping[str, str]) -> Sequence[Single]:
    """A single's parts, or a text once for each modality that the parts have."""
    if single.item is None:
        if single.modality is None or single.modality not in plans:
            return [single]
        kinds = {kind for _, kind in part_reader(single.modality).parts(plans[single.modality])}
        return [replace(single, modality=kind) for kind in sorted(kinds)]
    parts = _parts(single.item, plans)
    if parts is None:
        return [single]
    group = single.group or _whole(single.item)
    return [replace(single, item=part, modality=part.modality, group=group) for part in parts]


def _parts(item: Item, plans: Mapping[str, str]) -> list[Item] | None:
    """What an item is made of by its modality's plan; None if it is whole."""
    if (item.path is None and not isinstance(item.value, Held)) or item.modality not in plans:
        return None
    return [piece(item, part, kind) for part, kind in part_reader(item.modality).parts(plans[item.modality])]


def _whole(item: Item) -> str:
    return f"{item.modality} {item.id}"
