"""The original system's projector."""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor, nn

from textanchor.projectors._framed import Framed
from textanchor.settings import Count, Dropout


class MLP(Framed):
    """One hidden layer with GELU and dropout; the input is centred and scaled by stored constants."""

    name = "mlp"

    def __init__(self, *, dim_in: int, dim_out: int, hidden: Count = 512, dropout: Dropout = 0.1) -> None:
        super().__init__(dim_in, dim_out)
        self.settings = {"dim_in": dim_in, "dim_out": dim_out, "hidden": hidden, "dropout": dropout}
        self.layers = nn.Sequential(nn.Linear(dim_in, hidden), nn.GELU(), nn.Dropout(dropout), nn.Linear(hidden, dim_out))

    def forward(self, latents: Float[Tensor, "n d_in"]) -> Float[Tensor, "n d_out"]:
        """Vectors in the anchor's space; `offset` is added last, the mean text where the fit was centred."""
        out: Tensor = self.layers(self.standard(latents)) + self.offset
        return out
