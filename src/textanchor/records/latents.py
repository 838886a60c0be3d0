"""Latents, and latents joined with anchor vectors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float16, Float32, Int

from textanchor.errors import InputError
from textanchor.records.showing import short

if TYPE_CHECKING:
    from scipy.sparse import csr_array

Vectors = Float32[np.ndarray, "_n d"]


@dataclass(frozen=True, kw_only=True)
class Pooled:
    """Latents, one vector an item, with the fingerprint of the encoder that made them and each item's content hash."""

    __repr__ = short

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
            ids=tuple(map(self.ids.__getitem__, index.tolist())),
            contents=tuple(map(self.contents.__getitem__, index.tolist())),
            fingerprint=self.fingerprint,
        )

    def joined(self, other: Pooled) -> Pooled:
        """Both sets of rows."""
        return Pooled(
            vectors=np.concatenate([self.vectors, other.vectors]),
            ids=(*self.ids, *other.ids),
            contents=(*self.contents, *other.contents),
            fingerprint=self.fingerprint,
        )


@dataclass(frozen=True, kw_only=True)
class Ragged:
    """Latents of several vectors an item (patches, frames, windows): item i owns `tokens[offsets[i]:offsets[i + 1]]`."""

    __repr__ = short

    tokens: Float16[np.ndarray, "total d"]
    offsets: Int[np.ndarray, " n_plus_1"]
    ids: tuple[str, ...]
    contents: tuple[str, ...]
    fingerprint: str

    def __len__(self) -> int:
        return len(self.ids)

    def __getitem__(self, row: int | np.integer) -> Float16[np.ndarray, "n d"]:
        """One item's vectors."""
        return self.tokens[self.offsets[row] : self.offsets[row + 1]]

    def take(self, rows: Sequence[int] | Int[np.ndarray, " m"]) -> Ragged:
        """A selection of items, in the order given."""
        index = np.asarray(rows, dtype=np.int64)
        parts = [self[row] for row in index]
        return Ragged(
            tokens=np.concatenate(parts) if parts else self.tokens[:0],
            offsets=np.cumsum([0, *(len(part) for part in parts)], dtype=np.int64),
            ids=tuple(map(self.ids.__getitem__, index.tolist())),
            contents=tuple(map(self.contents.__getitem__, index.tolist())),
            fingerprint=self.fingerprint,
        )

    def joined(self, other: Ragged) -> Ragged:
        """Both sets of items."""
        return Ragged(
            tokens=np.concatenate([self.tokens, other.tokens]),
            offsets=np.concatenate([self.offsets, other.offsets[1:] + self.offsets[-1]]),
            ids=(*self.ids, *other.ids),
            contents=(*self.contents, *other.contents),
            fingerprint=self.fingerprint,
        )


Latents = Pooled | Ragged


@dataclass(frozen=True, kw_only=True)
class PairedLatents:
    """Unique items' latents, unique texts' anchor vectors, and weighted edges between them.

    `edges[e] = (item row, text row)`; the weights of one item's edges sum to 1, so five captions weigh 1/5 each.
    `counts` is how much each item counts in a closed form, None that each counts 1; `tables` are the tables that items are of,
    None that they are of one. Nothing here assumes that row i belongs to
    row i.
    """

    __repr__ = short

    modality: str
    items: Latents
    texts: tuple[str, ...]
    anchors: Vectors
    edges: Int[np.ndarray, "e 2"]
    weights: Float32[np.ndarray, " e"]
    groups: tuple[str, ...]
    counts: Float32[np.ndarray, " n"] | None = None
    tables: tuple[str, ...] | None = None

    @property
    def inputs(self) -> Vectors | Ragged:
        """What a projector takes: the items' vectors, or their tokens."""
        return self.items.vectors if isinstance(self.items, Pooled) else self.items

    @property
    def mass(self) -> Float32[np.ndarray, " n"]:
        """`counts`, written out."""
        return np.ones(len(self.items), np.float32) if self.counts is None else self.counts

    @property
    def pooled(self) -> Vectors:
        """The items' vectors. Raises `InputError` for tokens: most aligners need one vector an item."""
        if isinstance(self.items, Ragged):
            raise InputError(
                "the latents are tokens, several vectors an item; name an aligner that takes them, such as "
                "'gradient(projector=attention)', or an encoder with a pool"
            )
        return self.items.vectors

    @cached_property
    def means(self) -> Vectors:
        """One vector an item for methods that know no tokens: the vector itself, or the mean of the tokens."""
        if isinstance(self.items, Pooled):
            return self.items.vectors
        return np.stack([self.items[row].astype(np.float32).mean(axis=0) for row in range(len(self.items))])

    @cached_property
    def shares(self) -> csr_array:
        """`shares[i, t]`: how much text t counts for item i; rows sum to 1. *Shape:* [items, texts], sparse."""
        from scipy.sparse import csr_array

        return csr_array((self.weights, (self.edges[:, 0], self.edges[:, 1])), shape=(len(self.items), len(self.texts)))

    @cached_property
    def targets(self) -> Vectors:
        """Each item's weighted mean anchor vector. *Shape:* [items, d]."""
        return self.texts_of(slice(None))

    def texts_of(self, rows: slice) -> Vectors:
        """`targets` of some items."""
        return np.asarray(self.shares[rows] @ self.anchors, dtype=np.float32)

    @cached_property
    def relevant(self) -> csr_array:
        """`relevant[i, t]`: text t describes item i. *Shape:* [items, texts], sparse bool."""
        from scipy.sparse import csr_array

        described = np.ones(len(self.edges), dtype=bool), (self.edges[:, 0], self.edges[:, 1])
        return csr_array(described, shape=(len(self.items), len(self.texts)))

    @cached_property
    def first_text(self) -> Int[np.ndarray, " items"]:
        """Row of each item's first text, which serves as its label where texts are class names."""
        first = np.full(len(self.items), -1, dtype=np.int64)
        first[self.edges[::-1, 0]] = self.edges[::-1, 1]
        return first

    def joined(self, other: PairedLatents | None) -> PairedLatents:
        """Both tables' items and edges; equal texts become one. None adds nothing."""
        if other is None:
            return self
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
            items=self.items.joined(other.items),  # type: ignore[arg-type]  # one encoder, one kind
            texts=texts,
            anchors=anchors,
            edges=np.concatenate(edges),
            weights=np.concatenate([self.weights, other.weights]),
            groups=(*self.groups, *other.groups),
            counts=None if self.counts is None and other.counts is None else np.concatenate([self.mass, other.mass]),
            tables=None if self.tables is None or other.tables is None else (*self.tables, *other.tables),
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
            texts=tuple(map(self.texts.__getitem__, used.tolist())),
            anchors=self.anchors[used],
            edges=np.stack([place[self.edges[kept, 0]], text_rows.astype(np.int64)], axis=1),
            weights=self.weights[kept],
            groups=tuple(map(self.groups.__getitem__, index.tolist())),
            counts=None if self.counts is None else self.counts[index],
            tables=None if self.tables is None else tuple(map(self.tables.__getitem__, index.tolist())),
        )

    def by_table(self) -> list[tuple[Int[np.ndarray, " m"], PairedLatents]]:
        """Rows and pairs of each table."""
        names = np.asarray(self.tables or ("",) * len(self.items))
        rows = [np.flatnonzero(names == name) for name in dict.fromkeys(names.tolist())]
        return [(own, self.take(own)) for own in rows]
