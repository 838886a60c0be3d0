"""Items as features: latents of each kind of encoder, through the cache; a video is seen by frames and heard by its sound."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from textanchor import registry
from textanchor.data.decoding import PART
from textanchor.data.readers import PartReader, part_reader, reader
from textanchor.encoders import Encoder, canonical, make_single
from textanchor.errors import NothingUsableError
from textanchor.labelling.features import half_whitened
from textanchor.labelling.pool import Features
from textanchor.latents.engine import Encoded, encode
from textanchor.records import Item, Ragged, Skipped, Vectors, first_of
from textanchor.runtime import Runtime
from textanchor.space.composition import DEFAULTS, composition
from textanchor.space.preparing import default_encoder
from textanchor.space.space import Space

FEWEST = 3  # items that principal components can be taken of


@dataclass(frozen=True, kw_only=True)
class Seen:
    """Items that could be read, with their contents and features, and what could not."""

    items: tuple[Item, ...]
    contents: tuple[str, ...]
    features: tuple[Features, ...]
    skipped: tuple[Skipped, ...]


@dataclass(frozen=True)
class Eyes:
    """Encoders by kind: those of a space, else those that were named, else each reader's own."""

    space: Space | None
    named: Mapping[str, str]
    runtime: Runtime

    @cached_property
    def _made(self) -> dict[str, Encoder]:
        return {}

    def name(self, kind: str) -> str:
        """An encoder's name as it is written down."""
        if self.space is not None and kind in self.space.modalities and kind not in self.named:
            return self.space.modalities[kind].encoder
        return canonical(self.named.get(kind) or default_encoder(kind))

    def encoder(self, kind: str) -> Encoder:
        """The encoder of a kind, loaded once."""
        if kind not in self._made:
            if self.space is not None and kind in self.space.modalities and kind not in self.named:
                self._made[kind] = self.space.encoder(kind)
            else:
                self._made[kind] = make_single(self.name(kind), kind, self.runtime)
        return self._made[kind]

    def pieces(self, items: Sequence[Item]) -> dict[str, list[Item]]:
        """Items by the kind that sees them: themselves, or the parts of what has no encoder."""
        found: dict[str, list[Item]] = {}
        for kind in dict.fromkeys(item.modality for item in items):
            own = [item for item in items if item.modality == kind]
            for seen_by, pieces in self._apart(kind, own).items():
                found.setdefault(seen_by, []).extend(pieces)
        return found

    def _apart(self, kind: str, items: list[Item]) -> dict[str, list[Item]]:
        if kind in self.named or kind not in registry.names("reader") or not isinstance(reader(kind), PartReader):
            return {kind: items}
        plan = (self.space.plans if self.space is not None else DEFAULTS)[kind]
        whole = composition(kind, plan, tuple(part for _, part in part_reader(kind).parts(plan)))
        assert whole is not None  # made of all its own kinds
        whole.check_files(items)
        return whole.pieces(items)


def seen(items: Sequence[Item], eyes: Eyes, *, known: Mapping[str, str]) -> Seen:
    """All items through their encoders. An item of several parts is the mean of those of one kind; a part that is not there is
    not seen. Raises `NothingUsableError` if fewer than three items can be read.
    """
    told = {
        kind: encode(pieces, eyes.encoder(kind), eyes.runtime, known={one: known[one] for one in _ids(pieces) if one in known})
        for kind, pieces in eyes.pieces(items).items()
    }
    contents: dict[str, str] = {}
    reasons: dict[str, str] = {}
    for encoded in told.values():
        for name, content in zip(encoded.latents.ids, encoded.latents.contents, strict=True):
            contents.setdefault(_owner(name, content), content.partition(PART)[0])
        for one in encoded.skipped:
            reasons.setdefault(one.item, one.reason)
    kept = tuple(item for item in items if item.id in contents)
    skipped = tuple(
        Skipped(item=item.id, reason=reasons.get(item.id) or _part_reason(item.id, reasons))
        for item in items
        if item.id not in contents
    )
    if len(kept) < FEWEST:
        raise NothingUsableError(
            f"{len(kept)} of {len(items)} items can be read, and labelling the rest begins with {FEWEST}{first_of(skipped)}"
        )
    return Seen(
        items=kept,
        contents=tuple(contents[item.id] for item in kept),
        features=_features(told, kept),
        skipped=skipped,
    )


def _features(told: Mapping[str, Encoded], items: Sequence[Item]) -> tuple[Features, ...]:
    """Of each kind that sees at least three of the items."""
    place = {item.id: row for row, item in enumerate(items)}
    found = []
    for kind, encoded in told.items():
        vectors = _pooled(encoded)
        rows = np.array(
            [place[_owner(name, content)] for name, content in zip(encoded.latents.ids, encoded.latents.contents, strict=True)],
            dtype=np.int64,
        )
        counts = np.bincount(rows, minlength=len(items))
        if (counts > 0).sum() < FEWEST:
            continue
        total = np.zeros((len(items), vectors.shape[1]), dtype=np.float32)
        np.add.at(total, rows, vectors)
        found.append(half_whitened(kind, total / np.maximum(counts, 1)[:, None], counts > 0))
    return tuple(found)


def _pooled(encoded: Encoded) -> Vectors:
    """One vector an item; of one that is several tokens their mean."""
    latents = encoded.latents
    if not isinstance(latents, Ragged):
        return latents.vectors
    return np.stack([np.asarray(latents[row], dtype=np.float32).mean(axis=0) for row in range(len(latents.ids))])


def _ids(items: Iterable[Item]) -> list[str]:
    return [item.id for item in items]


def _owner(name: str, content: str) -> str:
    """The item that a piece belongs to: its id ends with the mark that its content ends with."""
    mark = content.partition(PART)[2]
    return name.removesuffix(f"{PART}{mark.partition(':')[2]}") if mark else name


def _part_reason(name: str, reasons: Mapping[str, str]) -> str:
    return next((reason for piece, reason in reasons.items() if piece.startswith(f"{name}{PART}")), "it cannot be read")
