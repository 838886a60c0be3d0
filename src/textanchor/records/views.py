"""How vectors are compared, and what an aligner returns."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float32

from textanchor.records.latents import Vectors

if TYPE_CHECKING:
    from torch import nn


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
class Hubness:
    """A correction by which gallery vectors that are near to everything lose: one additive bias per gallery vector.

    `method` is a registered name, `settings` its numbers. The bias is computed from a bank of *training* queries of the other
    side, raw vectors, at most 5000 a side; never from the queries or the gallery under test. With `none` there is no bias, and
    a small bank remains, from which scores of different modalities are brought to one scale.
    """

    method: str
    settings: Mapping[str, float | int]
    items: Vectors
    texts: Vectors


@dataclass(frozen=True, kw_only=True)
class View:
    """How one modality's vectors, and texts compared with them, are mapped before the cosine is taken.

    Raw vectors are what is stored; a view never changes them. A view belongs to one modality, so adding another
    modality leaves earlier comparisons as they were.
    """

    item: Affine
    text: Affine
    hubness: Hubness | None = None

    @cached_property
    def id(self) -> str:
        """Hash of everything in the view; changes when any number does."""
        total = hashlib.sha256()
        bank = self.hubness
        arrays = [part_ for part in (self.item, self.text) for part_ in (part.mean, part.matrix)]
        if bank is not None:
            total.update(f"{bank.method} {sorted(bank.settings.items())}".encode())
            arrays += [bank.items, bank.texts]
        for array in arrays:
            total.update(b"-" if array is None else repr(array.shape).encode() + array.tobytes())
        return total.hexdigest()[:16]


@dataclass(frozen=True, kw_only=True)
class Fit:
    """What an aligner returns: a projector, the view it was fitted for (None: raw cosine), and a report of plain values."""

    projector: nn.Module
    view: View | None
    report: Mapping[str, Any] = field(default_factory=dict)
