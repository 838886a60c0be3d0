"""Vectors that were made elsewhere, taken as latents as they are."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from textanchor.encoders.protocol import Output, encode_staged
from textanchor.errors import InputError
from textanchor.files import digest
from textanchor.records import Vectors
from textanchor.runtime import Runtime
from textanchor.settings import Count


class Given:
    """Arrays [dim] in memory. `source` is who made them: vectors of two models are told apart by it and by nothing else."""

    batch = 4096

    def __init__(self, *, modality: str, dim: int, source: str) -> None:
        self.modality, self.dim, self.name = modality, dim, f"vectors of {source}" if source else "vectors"
        self.fingerprint = digest("vectors", "1", str(dim), source)
        self.outputs = (Output(name="", dim=dim, fingerprint=self.fingerprint),)

    def encode(self, batch: Sequence[np.ndarray]) -> Vectors:
        """*Shape:* [n, dim]."""
        return encode_staged(self, batch)

    def prepare(self, value: np.ndarray) -> np.ndarray:
        """The vector. Raises `ValueError` for another length."""
        if not isinstance(value, np.ndarray) or value.shape != (self.dim,):
            shape = list(value.shape) if isinstance(value, np.ndarray) else type(value).__name__
            raise ValueError(f"a vector of {self.dim} numbers is expected, not {shape}")
        return value

    def forward(self, inputs: Sequence[np.ndarray]) -> list[Vectors]:
        """Stacked."""
        return [np.stack(inputs).astype(np.float32, copy=False)]


def make(argument: str, *, modality: str, runtime: Runtime, dim: Count, source: str = "") -> Given:
    """`vectors@dim=512[,source=<who made them>]`."""
    if argument:
        raise InputError(f"vectors:{argument}: no model is named here; expected vectors@dim=<length of a vector>")
    return Given(modality=modality, dim=dim, source=source)
