"""What happens to vectors before they are handed out: nothing, or a view's map and length 1, as a module."""

from __future__ import annotations

from typing import Any

import numpy as np
from torch import Tensor, from_numpy, nn
from torch.nn.functional import normalize

from textanchor.errors import InputError
from textanchor.records import Affine, Bent
from textanchor.records.views import Map, alike
from textanchor.space import TEXT, Space


def map_of(space: Space, own: str, other: str) -> Map | None:
    """The map of raw vectors of modality `own` where they are compared with modality `other`; None is the identity.

    The same as `Comparison.query_unit`, before lengths become 1. Raises `InputError` for a modality that is not there.
    """
    if other not in space.kinds:
        raise InputError(f"no modality '{other}' to compare with: the space has {', '.join(space.kinds) or 'none'}")
    view, others = space.geometry.view(own), space.geometry.view(other)
    if own == TEXT:
        return None if others is None else others.text
    if view is None or own == other or (others is not None and alike(view.item, others.item)):
        return None if view is None else view.item
    return Affine(mean=view.item.mean)


class Compared(nn.Module):
    """A map and then length 1."""

    def __init__(self, held: Map | None) -> None:
        super().__init__()
        self.mean: Tensor | None
        self.matrix: Tensor | None
        affine = held if isinstance(held, Affine) else None
        self.register_buffer("mean", None if affine is None else _tensor(affine.mean))
        self.register_buffer("matrix", None if affine is None or affine.matrix is None else _tensor(affine.matrix))
        self.bent = held.module if isinstance(held, Bent) else None

    def forward(self, vectors: Tensor) -> Tensor:
        """*Shape:* [n, d] -> [n, k]."""
        moved: Tensor = vectors if self.mean is None else vectors - self.mean
        moved = moved if self.matrix is None else moved @ self.matrix
        return normalize(moved if self.bent is None else self.bent(moved), dim=1)


def compared(space: Space, own: str, other: str | None) -> nn.Module:
    """Raw vectors as they are, or with `other` as they are compared with that modality."""
    return nn.Identity() if other is None else Compared(map_of(space, own, other)).eval()


def _tensor(array: np.ndarray) -> Any:
    return from_numpy(np.ascontiguousarray(array))
