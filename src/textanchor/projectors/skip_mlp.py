"""A linear map and, beside it, one hidden layer."""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor, nn

from textanchor.projectors._framed import Framed
from textanchor.settings import Count, Dropout


class SkipMLP(Framed):
    """x W + b + MLP(x) of a centred and scaled input; the MLP's last layer starts at zero."""

    name = "skip-mlp"

    def __init__(self, *, dim_in: int, dim_out: int, hidden: Count = 256, dropout: Dropout = 0.1) -> None:
        super().__init__(dim_in, dim_out)
        self.settings = {"dim_in": dim_in, "dim_out": dim_out, "hidden": hidden, "dropout": dropout}
        self.line, last = nn.Linear(dim_in, dim_out), nn.Linear(hidden, dim_out)
        nn.init.zeros_(last.weight)
        nn.init.zeros_(last.bias)
        self.layers = nn.Sequential(nn.Linear(dim_in, hidden), nn.GELU(), nn.Dropout(dropout), last)

    def forward(self, latents: Float[Tensor, "n d_in"]) -> Float[Tensor, "n d_out"]:
        """Vectors in the space that it is trained to reach."""
        held = self.standard(latents)
        out: Tensor = self.line(held) + self.layers(held) + self.offset
        return out
