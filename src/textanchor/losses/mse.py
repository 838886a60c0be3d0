"""The original system's loss."""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor, nn

from textanchor.losses.batch import Batch


class MSE(nn.Module):
    """Mean squared difference to the anchor vector, over items and dimensions: imitate, do not separate."""

    def forward(self, batch: Batch) -> Float[Tensor, ""]:
        """Loss in squared units of the anchor's vectors."""
        return (batch.item - batch.text).square().mean()
