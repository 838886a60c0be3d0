"""An affine projector."""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor, nn


class Linear(nn.Module):
    """x W + b: what a closed form solves for."""

    name = "linear"

    def __init__(self, *, dim_in: int, dim_out: int) -> None:
        super().__init__()
        self.settings = {"dim_in": dim_in, "dim_out": dim_out}
        self.map = nn.Linear(dim_in, dim_out)

    def forward(self, latents: Float[Tensor, "n d_in"]) -> Float[Tensor, "n d_out"]:
        """Vectors in the anchor's space."""
        out: Tensor = self.map(latents)
        return out
