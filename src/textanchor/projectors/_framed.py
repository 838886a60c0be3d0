"""What trained projectors share: constants that centre and scale the input and shift the output."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn


class Framed(nn.Module):
    """Abstract. `mean` [d_in] and `scale` [1] are those of the training latents, `offset` [d_out] the mean training text."""

    mean: Tensor
    scale: Tensor
    offset: Tensor

    def __init__(self, dim_in: int, dim_out: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(dim_in))
        self.register_buffer("scale", torch.ones(1))
        self.register_buffer("offset", torch.zeros(dim_out))

    def standard(self, latents: Float[Tensor, "*n d_in"]) -> Float[Tensor, "*n d_in"]:
        """Centred, and scaled as a whole: dimensions of small variance stay small."""
        return (latents - self.mean) / self.scale
