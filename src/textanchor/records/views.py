"""How vectors are compared."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float32

from textanchor.records.latents import Vectors
from textanchor.records.showing import short

if TYPE_CHECKING:
    from torch import Tensor, nn

CHUNK = 4096
Compared = Float32[np.ndarray, "_n _k"]  # of another width than raw vectors where a map has directions or a space of its own


@runtime_checkable
class Map(Protocol):
    """One side of a view: raw vectors [n, d] to what is compared [n, k], before lengths become 1."""

    @property
    def mean(self) -> Float32[np.ndarray, " d"]:
        """What is taken out of raw vectors where they are compared with a third modality."""

    @property
    def spec(self) -> Mapping[str, Any]:
        """What makes the map anew, beside its arrays; JSON-ready."""

    def arrays(self) -> Mapping[str, np.ndarray]:
        """Its numbers by name."""

    def __call__(self, vectors: Vectors) -> Compared:
        """Map rows. *Shape:* [n, d] -> [n, k]."""

    def on(self, vectors: Tensor) -> Tensor:
        """The same on a tensor, on its device, differentiable. *Shape:* [n, d] -> [n, k]."""


@dataclass(frozen=True, kw_only=True)
class Affine:
    """x -> (x - mean) @ matrix; no matrix means identity."""

    __repr__ = short

    mean: Float32[np.ndarray, " d"]
    matrix: Float32[np.ndarray, "d k"] | None = None

    @property
    def spec(self) -> Mapping[str, Any]:
        """The arrays say everything."""
        return {"kind": "affine"}

    def arrays(self) -> Mapping[str, np.ndarray]:
        """`mean`, and `matrix` where there is one."""
        return {"mean": self.mean} | ({} if self.matrix is None else {"matrix": self.matrix})

    def __call__(self, vectors: Vectors) -> Compared:
        """Map rows. *Shape:* [n, d] -> [n, k]."""
        moved = vectors - self.mean
        return (moved if self.matrix is None else moved @ self.matrix).astype(np.float32, copy=False)

    def on(self, vectors: Tensor) -> Tensor:
        """The same on a tensor. *Shape:* [n, d] -> [n, k]."""
        from torch import from_numpy

        moved = vectors - from_numpy(self.mean).to(vectors.device)
        return moved if self.matrix is None else moved @ from_numpy(self.matrix).to(vectors.device)


@dataclass(frozen=True, kw_only=True)
class Bent:
    """A registered projector as a map of raw vectors, for methods whose side of the comparison is no affine map."""

    __repr__ = short

    mean: Float32[np.ndarray, " d"]
    module: nn.Module

    @property
    def spec(self) -> Mapping[str, Any]:
        """The projector's name and settings."""
        return {"kind": "bent", "projector": {"name": self.module.name, "settings": self.module.settings}}

    def arrays(self) -> Mapping[str, np.ndarray]:
        """`mean`, and the module's numbers as `module.<name>`."""
        state = self.module.state_dict()
        return {"mean": self.mean, **{f"module.{name}": value.cpu().numpy() for name, value in state.items()}}

    def __call__(self, vectors: Vectors) -> Compared:
        """Map rows. *Shape:* [n, d] -> [n, k]."""
        from torch import from_numpy, inference_mode

        self.module.eval()
        with inference_mode():
            chunks = [self.on(from_numpy(vectors[start : start + CHUNK])) for start in range(0, max(len(vectors), 1), CHUNK)]
        return np.concatenate([chunk.numpy() for chunk in chunks])

    def on(self, vectors: Tensor) -> Tensor:
        """The same on a tensor; the module goes to the tensor's device. *Shape:* [n, d] -> [n, k]."""
        mapped: Tensor = self.module.to(vectors.device)(vectors)
        return mapped


@dataclass(frozen=True, kw_only=True)
class Hubness:
    """A correction by which gallery vectors that are near to everything lose: one additive bias per gallery vector.

    `method` is a registered name, `settings` its numbers. The bias is computed from a bank of *training* queries of the other
    side, raw vectors, at most 5000 a side; never from the queries or the gallery under test. With `none` there is no bias, and
    a small bank remains, from which scores of different modalities are brought to one scale.
    """

    __repr__ = short

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

    __repr__ = short

    item: Map
    text: Map
    hubness: Hubness | None = None

    @cached_property
    def id(self) -> str:
        """Hash of everything in the view; changes when any number does."""
        total = hashlib.sha256()
        bank = self.hubness
        if bank is not None:
            total.update(f"{bank.method} {sorted(bank.settings.items())}".encode())
        for side in (self.item, self.text):
            if isinstance(side, Affine):
                arrays = [side.mean, side.matrix]
            else:
                total.update(json.dumps(side.spec, sort_keys=True).encode())
                arrays = [array for _, array in sorted(side.arrays().items())]
            for array in arrays:
                total.update(_bytes(array))
        for array in () if bank is None else (bank.items, bank.texts):
            total.update(_bytes(array))
        return total.hexdigest()[:16]


def alike(mine: Map, other: Map) -> bool:
    """Whether two maps do the same to vectors whose mean was taken out."""
    left, right = (dict(side.arrays()) for side in (mine, other))
    if mine.spec != other.spec or left.keys() != right.keys():
        return False
    return all(name == "mean" or np.array_equal(array, right[name]) for name, array in left.items())


def _bytes(array: np.ndarray | None) -> bytes:
    return b"-" if array is None else repr(array.shape).encode() + array.tobytes()
