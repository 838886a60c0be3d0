"""The records that travel between layers. They hold data and derive from it; they read no file and know no model."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float16, Float32, Int

if TYPE_CHECKING:
    from scipy.sparse import csr_array
    from torch import nn

Vectors = Float32[np.ndarray, "n d"]


@dataclass(frozen=True, kw_only=True)
class Waveform:
    """Mono sound: samples in [-1, 1] and their rate in Hz."""

    samples: Float32[np.ndarray, " t"]
    rate: int

    @property
    def seconds(self) -> float:
        """Length."""
        return len(self.samples) / self.rate


@dataclass(frozen=True, kw_only=True)
class Series:
    """Numbers over time: values [t, channels], evenly spaced and finite, and their rate in Hz (None: unknown)."""

    values: Float32[np.ndarray, "t c"]
    rate: float | None = None


@dataclass(frozen=True, kw_only=True)
class Clip:
    """A video as read: frames (PIL images) and the sound track, either of which may be missing."""

    frames: tuple[Any, ...] = ()
    sound: Waveform | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Item:
    """One thing of one modality: a file (`path`), or a value in memory (text, PIL image, `Waveform`, array).

    `part` names a piece of a file of another modality, such as `video:frame:uniform:4:0`, the first of a video's four frames.
    """

    id: str
    modality: str
    path: Path | None = None
    value: Any = None
    part: str = ""


@dataclass(frozen=True, kw_only=True)
class Pair:
    """An item and a text that describes it. `group` is what never stands on two sides of a split."""

    item: Item
    text: str
    group: str | None = None
    split: str | None = None


@dataclass(frozen=True, kw_only=True)
class Skipped:
    """One row or item that was left out, and why; `absent`: a part that its file does not have, which is no fault."""

    item: str
    reason: str
    absent: bool = False


def first_of(skipped: Sequence[Skipped]) -> str:
    """The end of a message that nothing remained: how many were left out, and why the first was."""
    return f"; the first of {len(skipped)} skipped: {skipped[0].item}: {skipped[0].reason}" if skipped else ""


@dataclass(frozen=True, kw_only=True)
class Pairs:
    """A table of pairs as read: rows in order, what was skipped, and the name of a split that breaks groups on purpose."""

    rows: tuple[Pair, ...]
    skipped: tuple[Skipped, ...] = ()
    split_name: str | None = None
    source: str = "memory"

    @cached_property
    def items(self) -> tuple[Item, ...]:
        """Distinct items, in order of first appearance."""
        return tuple({pair.item.id: pair.item for pair in self.rows}.values())

    @cached_property
    def modalities(self) -> tuple[str, ...]:
        """Modalities present, in order of first appearance."""
        return tuple(dict.fromkeys(pair.item.modality for pair in self.rows))

    @cached_property
    def groups(self) -> Mapping[str, tuple[str, ...]]:
        """Item id -> the groups that its rows name."""
        found: dict[str, set[str]] = {}
        for pair in self.rows:
            if pair.group:
                found.setdefault(pair.item.id, set()).add(pair.group)
        return {item: tuple(sorted(held)) for item, held in found.items()}

    def only(self, modality: str) -> Pairs:
        """The same table with one modality's rows."""
        rows = tuple(pair for pair in self.rows if pair.item.modality == modality)
        return Pairs(rows=rows, split_name=self.split_name, source=self.source)


@dataclass(frozen=True, kw_only=True)
class Pooled:
    """Latents, one vector an item, with the fingerprint of the encoder that made them and each item's content hash."""

    vectors: Vectors
    ids: tuple[str, ...]
    contents: tuple[str, ...]
    fingerprint: str

    def __len__(self) -> int:
        return len(self.ids)

    def take(self, rows: Sequence[int] | Int[np.ndarray, " m"]) -> Pooled:
        """A selection of rows, in the order given."""
        index = np.asarray(rows, dtype=np.int64)
        return Pooled(
            vectors=self.vectors[index],
            ids=tuple(self.ids[i] for i in index),
            contents=tuple(self.contents[i] for i in index),
            fingerprint=self.fingerprint,
        )


@dataclass(frozen=True, kw_only=True)
class Ragged:
    """Latents of several vectors an item (patches, frames, windows): item i owns `tokens[offsets[i]:offsets[i + 1]]`."""

    tokens: Float16[np.ndarray, "total d"]
    offsets: Int[np.ndarray, " n_plus_1"]
    ids: tuple[str, ...]
    contents: tuple[str, ...]
    fingerprint: str

    def __len__(self) -> int:
        return len(self.ids)

    def __getitem__(self, row: int) -> Float16[np.ndarray, "n d"]:
        """One item's vectors."""
        return self.tokens[self.offsets[row] : self.offsets[row + 1]]


@dataclass(frozen=True, kw_only=True)
class PairedLatents:
    """Unique items' latents, unique texts' anchor vectors, and weighted edges between them.

    `edges[e] = (item row, text row)`; the weights of one item's edges sum to 1, so five captions weigh 1/5 each.
    Nothing here assumes that row i belongs to row i.
    """

    modality: str
    items: Pooled
    texts: tuple[str, ...]
    anchors: Vectors
    edges: Int[np.ndarray, "e 2"]
    weights: Float32[np.ndarray, " e"]
    groups: tuple[str, ...]

    @cached_property
    def targets(self) -> Vectors:
        """Each item's weighted mean anchor vector. *Shape:* [items, d]."""
        mean = np.zeros((len(self.items), self.anchors.shape[1]), dtype=np.float32)
        np.add.at(mean, self.edges[:, 0], self.anchors[self.edges[:, 1]] * self.weights[:, None])
        return mean

    @cached_property
    def relevant(self) -> csr_array:
        """`relevant[i, t]`: text t describes item i. *Shape:* [items, texts], sparse bool."""
        from scipy.sparse import csr_array

        held = np.ones(len(self.edges), dtype=bool), (self.edges[:, 0], self.edges[:, 1])
        return csr_array(held, shape=(len(self.items), len(self.texts)))

    @cached_property
    def first_text(self) -> Int[np.ndarray, " items"]:
        """Row of each item's first text, which serves as its label where texts are class names."""
        first = np.full(len(self.items), -1, dtype=np.int64)
        first[self.edges[::-1, 0]] = self.edges[::-1, 1]
        return first

    def joined(self, other: PairedLatents) -> PairedLatents:
        """Both tables' items and edges; equal texts become one."""
        texts = tuple(dict.fromkeys((*self.texts, *other.texts)))
        place = {text: row for row, text in enumerate(texts)}
        anchors = np.empty((len(texts), self.anchors.shape[1]), dtype=np.float32)
        edges = []
        for part, start in ((self, 0), (other, len(self.items))):
            rows = np.array([place[text] for text in part.texts], dtype=np.int64)
            anchors[rows] = part.anchors
            edges.append(np.stack([part.edges[:, 0] + start, rows[part.edges[:, 1]]], axis=1))
        return PairedLatents(
            modality=self.modality,
            items=Pooled(
                vectors=np.concatenate([self.items.vectors, other.items.vectors]),
                ids=(*self.items.ids, *other.items.ids),
                contents=(*self.items.contents, *other.items.contents),
                fingerprint=self.items.fingerprint,
            ),
            texts=texts,
            anchors=anchors,
            edges=np.concatenate(edges),
            weights=np.concatenate([self.weights, other.weights]),
            groups=(*self.groups, *other.groups),
        )

    def take(self, rows: Sequence[int] | Int[np.ndarray, " m"]) -> PairedLatents:
        """The given items with their edges; texts that no edge reaches any more are dropped."""
        index = np.asarray(rows, dtype=np.int64)
        place = np.full(len(self.items), -1, dtype=np.int64)
        place[index] = np.arange(len(index))
        kept = place[self.edges[:, 0]] >= 0
        used, text_rows = np.unique(self.edges[kept, 1], return_inverse=True)
        return PairedLatents(
            modality=self.modality,
            items=self.items.take(index),
            texts=tuple(self.texts[t] for t in used),
            anchors=self.anchors[used],
            edges=np.stack([place[self.edges[kept, 0]], text_rows.astype(np.int64)], axis=1),
            weights=self.weights[kept],
            groups=tuple(self.groups[i] for i in index),
        )


@dataclass(frozen=True, kw_only=True)
class Unpaired:
    """Latents without texts and anchor vectors without items, for aligners that can use them; both may be absent."""

    items: Pooled | None = None
    anchors: Vectors | None = None


@dataclass(frozen=True, kw_only=True)
class Affine:
    """x -> (x - mean) @ matrix; no matrix means identity."""

    mean: Float32[np.ndarray, " d"]
    matrix: Float32[np.ndarray, "d k"] | None = None

    def __call__(self, vectors: Vectors) -> Vectors:
        """Map rows. *Shape:* [n, d] -> [n, k]."""
        moved = vectors - self.mean
        return (moved if self.matrix is None else moved @ self.matrix).astype(np.float32)


@dataclass(frozen=True, kw_only=True)
class View:
    """How one modality's vectors, and texts compared with them, are mapped before the cosine is taken.

    Raw vectors are what is stored; a view never changes them. A view belongs to one modality, so adding another
    modality leaves earlier comparisons as they were.
    """

    item: Affine
    text: Affine

    @cached_property
    def id(self) -> str:
        """Hash of everything in the view; changes when any number does."""
        total = hashlib.sha256()
        for part in (self.item, self.text):
            for array in (part.mean, part.matrix):
                total.update(b"-" if array is None else repr(array.shape).encode() + array.tobytes())
        return total.hexdigest()[:16]


@dataclass(frozen=True, kw_only=True)
class Fit:
    """What an aligner returns: a projector, the view it was fitted for (None: raw cosine), and a report of plain values."""

    projector: nn.Module
    view: View | None
    report: Mapping[str, Any] = field(default_factory=dict)
