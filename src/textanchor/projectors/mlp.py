"""The original system's projector."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn


class MLP(nn.Module):
    """One hidden layer with GELU and dropout; the input is centred and scaled by stored constants."""

    name = "mlp"

    def __init__(self, *, dim_in: int, dim_out: int, hidden: int = 512, dropout: float = 0.1) -> None:
        super().__init__()
        self.settings = {"dim_in": dim_in, "dim_out": dim_out, "hidden": hidden, "dropout": dropout}
        self.mean: Tensor
        self.scale: Tensor
        self.offset: Tensor
        self.register_buffer("mean", torch.zeros(dim_in))
        self.register_buffer("scale", torch.ones(1))
        self.register_buffer("offset", torch.zeros(dim_out))
        self.layers = nn.Sequential(nn.Linear(dim_in, hidden), nn.GELU(), nn.Dropout(dropout), nn.Linear(hidden, dim_out))

    def forward(self, latents: Float[Tensor, "n d_in"]) -> Float[Tensor, "n d_out"]:
        """Vectors in the anchor's space; `offset` is added last, the mean text where the fit was centred."""
        out: Tensor = self.layers((latents - self.mean) / self.scale) + self.offset
        return out
