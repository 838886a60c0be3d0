"""What a classifier knows beside its features: names."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32

from textanchor.records.latents import Vectors

TINY = 1e-12


@dataclass(frozen=True, kw_only=True)
class Head:
    """The linear layer that a classifier ends in: scores = latents @ weight.T + bias, one a class.

    `names[c]` are the synonyms of class c, the usual one first; `descriptions[c]`, where there are any, says what it is. With
    `standardise` each latent is brought to mean 0 and variance 1 before (the layer normalisation that some classifiers begin
    with; its own numbers are part of `weight` and `bias`).
    """

    names: tuple[tuple[str, ...], ...]
    weight: Float32[np.ndarray, "c d"]
    bias: Float32[np.ndarray, " c"]
    descriptions: tuple[str, ...] = ()
    standardise: bool = False

    def scores(self, latents: Vectors) -> Float32[np.ndarray, "n c"]:
        """The classifier's scores before any softmax."""
        if self.standardise:
            latents = (latents - latents.mean(axis=1, keepdims=True)) / np.sqrt(latents.var(axis=1, keepdims=True) + TINY)
        return np.asarray(latents @ self.weight.T + self.bias, dtype=np.float32)


@dataclass(frozen=True, kw_only=True)
class Named:
    """A head whose classes have anchor vectors, so that its scores lead into the space.

    `shares[c]` in (0, 1] is how much class c counts: less where the anchor knows the words of its name less.
    """

    head: Head
    anchors: Vectors
    shares: Float32[np.ndarray, " c"]
