"""The original system's loss."""

from __future__ import annotations

from jaxtyping import Bool, Float
from torch import Tensor, nn


class MSE(nn.Module):
    """Mean squared difference to the anchor vector, over items and dimensions: imitate, do not separate."""

    centred = False

    def forward(
        self,
        item: Float[Tensor, "b d"],
        text: Float[Tensor, "b d"],
        bank: Float[Tensor, "t d"],
        own: Bool[Tensor, "b t"],
    ) -> Float[Tensor, ""]:
        """Loss in squared units of the anchor's vectors."""
        return (item - text).square().mean()
