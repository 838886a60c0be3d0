"""Items made of parts, such as a video of frames and a sound track: each part by its own side, fused in the anchor's space."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np
from tqdm import tqdm

from textanchor.data.contents import PART
from textanchor.data.readers import part_reader
from textanchor.data.readers.video import PLAN
from textanchor.errors import InputError, ItemError
from textanchor.files import digest
from textanchor.latents.engine import Encoded
from textanchor.records import Affine, Item, Pairs, Pooled, Skipped, Vectors, View
from textanchor.space.holdings import Embedded
from textanchor.views import as_peer, unit

if TYPE_CHECKING:
    from textanchor.space import Space

log = logging.getLogger(__name__)
DEFAULTS = {"video": PLAN}
CHUNK = 512  # items whose parts are encoded together


@dataclass(frozen=True, kw_only=True)
class Composition:
    """Which parts make an item of a modality; a part whose modality a space does not have is not used.

    An item's latent is the parts' latents side by side, zeros for a part that the file does not have, and then one number
    a part that says whether it is there.
    """

    modality: str
    plan: str

    def parts(self, space: Space) -> tuple[tuple[str, str], ...]:
        """(part, modality) of what this space can take."""
        return tuple((part, kind) for part, kind in part_reader(self.modality).parts(self.plan) if kind in space.modalities)

    def fingerprint(self, space: Space) -> str:
        """Changes with the plan and the encoders of the parts."""
        return digest("composition", "1", *(f"{part} {space.modalities[kind].fingerprint}" for part, kind in self.parts(space)))

    def stream(
        self, space: Space, items: Iterable[Item], *, strict: bool, store: bool, total: int | None, progress: bool
    ) -> Iterator[Embedded]:
        """Raw vectors of any number of items, 512 at a time."""
        rest, told = iter(items), None if progress else True
        with tqdm(total=total, desc=f"encode {self.modality}", unit="item", disable=told) as bar:
            while part := list(islice(rest, CHUNK)):
                done = self.encoded(space, part, strict=strict, store=store)
                place = {item.id: item for item in part}
                yield Embedded(
                    items=tuple(place[name] for name in done.latents.ids),
                    vectors=self.project(space, done.vectors),
                    contents=done.latents.contents,
                    skipped=done.skipped,
                    cached=done.cached,
                    new=done.new,
                )
                bar.update(len(part))

    def encoded(self, space: Space, items: Sequence[Item], *, strict: bool = False, **how: Any) -> Encoded:
        """Latents of whole items, each part through the cache under its own key. *Shape:* [n, sum of dims + parts]."""
        how.pop("known", None)  # hashes of whole files; parts have their own
        parts = self.parts(space)
        for item in items:
            if item.path is None:
                raise InputError(f"{item.id}: a {self.modality} is embedded from its file")
        found: dict[tuple[str, str], tuple[np.ndarray, str]] = {}
        faults: dict[str, list[Skipped]] = {}
        owner = {piece(item, part, kind).id: (item.id, part) for item in items for part, kind in parts}
        new = 0
        for kind, pieces in self.pieces(space, items).items():
            done = space.encoded(pieces, kind, **how)
            new += done.new
            for row, name in enumerate(done.latents.ids):
                found[owner[name]] = done.vectors[row], done.latents.contents[row]
            for one in done.skipped:
                faults.setdefault(owner[one.item][0], []).append(one)
        skipped = self._skipped(items, parts, found, faults, strict=strict)
        kept = [item for item in items if any((item.id, part) in found for part, _ in parts)]
        rows = np.zeros((len(kept), sum(space.encoder(kind).dim for _, kind in parts) + len(parts)), dtype=np.float32)
        for row, item in enumerate(kept):
            start = 0
            for place, (part, kind) in enumerate(parts):
                if (item.id, part) in found:
                    rows[row, start : start + space.encoder(kind).dim] = found[item.id, part][0]
                    rows[row, place - len(parts)] = 1
                start += space.encoder(kind).dim
        contents = tuple(
            next(found[item.id, p][1].partition(PART)[0] for p, _ in parts if (item.id, p) in found) for item in kept
        )
        latents = Pooled(
            vectors=rows, ids=tuple(item.id for item in kept), contents=contents, fingerprint=self.fingerprint(space)
        )
        fresh = min(len(kept), -(-new // len(parts)))  # parts are counted one by one, an item is new as a whole
        return Encoded(latents=latents, skipped=skipped, cached=len(kept) - fresh, new=fresh)

    def pieces(self, space: Space, items: Iterable[Item]) -> dict[str, list[Item]]:
        """The parts of all items as items of their own, by modality."""
        found: dict[str, list[Item]] = {}
        for item in items:
            for part, kind in self.parts(space):
                found.setdefault(kind, []).append(piece(item, part, kind))
        return found

    def _skipped(
        self,
        items: Sequence[Item],
        parts: Sequence[tuple[str, str]],
        found: Mapping[tuple[str, str], Any],
        faults: Mapping[str, list[Skipped]],
        *,
        strict: bool,
    ) -> tuple[Skipped, ...]:
        """Items without any part; one that lost a part by damage is named in the log and goes on with the rest."""
        skipped = []
        for item in items:
            held = faults.get(item.id, [])
            damage = next((one for one in held if not one.absent), None)
            if strict and damage:
                raise ItemError(item.id, damage.reason)
            if not any((item.id, part) in found for part, _ in parts):
                reason = damage.reason if damage else f"none of the parts {self.plan} is in it"
                skipped.append(Skipped(item=item.id, reason=reason))
            elif damage:
                log.warning("%s: %s; embedded from its other parts", item.id, damage.reason)
        return tuple(skipped)

    def project(self, space: Space, latents: Vectors) -> Vectors:
        """Raw vectors: unit vectors of the parts as they are compared, each modality with one voice. *Shape:* [n, d]."""
        parts = self.parts(space)
        there = latents[:, latents.shape[1] - len(parts) :]
        voices: dict[str, np.ndarray] = {}
        start = 0
        for place, (_, kind) in enumerate(parts):
            dim = space.encoder(kind).dim
            raw = space.project(kind, latents[:, start : start + dim])
            held = as_peer(space.view(kind), None, raw) * there[:, place, None]
            voices[kind] = voices[kind] + held if kind in voices else held
            start += dim
        return (unit(np.sum([unit(held) for held in voices.values()], axis=0)) + self._mean(space)).astype(np.float32)

    def view(self, space: Space) -> View:
        """Takes out what the views of the parts' modalities take out, on average."""
        side = Affine(mean=self._mean(space))
        return View(item=side, text=side)

    def _mean(self, space: Space) -> np.ndarray:
        kinds = dict.fromkeys(kind for _, kind in self.parts(space))
        views = [view for kind in kinds if (view := space.view(kind)) is not None]
        if not views:
            return np.zeros(space.dim, dtype=np.float32)
        return np.asarray(np.sum([view.text.mean for view in views], axis=0) / len(kinds), dtype=np.float32)


def piece(item: Item, part: str, kind: str) -> Item:
    """One part of an item, an item itself."""
    return Item(id=f"{item.id}{PART}{part}", modality=kind, path=item.path, part=f"{item.modality}:{part}")


def expanded(pairs: Pairs, plans: Mapping[str, str]) -> Pairs:
    """The pairs with every row of a composed modality replaced by rows of its parts, which share a group: the whole item."""
    rows = []
    for pair in pairs.rows:
        plan = plans.get(pair.item.modality)
        if plan is None or pair.item.path is None:
            rows.append(pair)
            continue
        group = pair.group or f"{pair.item.modality} {pair.item.id}"
        for part, kind in part_reader(pair.item.modality).parts(plan):
            rows.append(replace(pair, item=piece(pair.item, part, kind), group=group))
    return replace(pairs, rows=tuple(rows))
