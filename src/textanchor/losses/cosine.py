"""Imitation of the direction alone."""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import cosine_similarity

from textanchor.losses.batch import Batch


class Cosine(nn.Module):
    """One minus the cosine to the anchor vector: MSE of unit vectors, halved. Nothing is pushed apart."""

    def forward(self, batch: Batch) -> Float[Tensor, ""]:
        """Mean loss, in [0, 2]."""
        return (1 - cosine_similarity(batch.item, batch.text, dim=1)).mean()
