"""Inverted-bottleneck residual blocks before a linear map."""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor, nn

from textanchor.projectors._framed import Framed
from textanchor.settings import Count, Dropout


class ResidualMLP(Framed):
    """`blocks` times x + MLP(LayerNorm(x)) with a hidden layer `expand` times as wide, then LayerNorm and a linear map.

    Source: Vouitsis et al. 2024 (FuseMix), arXiv:2312.10144, section 6.1.
    """

    name = "residual-mlp"

    def __init__(self, *, dim_in: int, dim_out: int, blocks: Count = 2, expand: Count = 2, dropout: Dropout = 0.3) -> None:
        super().__init__(dim_in, dim_out)
        self.settings = {"dim_in": dim_in, "dim_out": dim_out, "blocks": blocks, "expand": expand, "dropout": dropout}
        wide = dim_in * expand
        self.blocks = nn.ModuleList(
            nn.Sequential(
                nn.LayerNorm(dim_in), nn.Linear(dim_in, wide), nn.GELU(), nn.Dropout(dropout), nn.Linear(wide, dim_in)
            )
            for _ in range(blocks)
        )
        self.out = nn.Sequential(nn.LayerNorm(dim_in), nn.Linear(dim_in, dim_out))

    def forward(self, latents: Float[Tensor, "n d_in"]) -> Float[Tensor, "n d_out"]:
        """Vectors in the anchor's space."""
        held = self.standard(latents)
        for block in self.blocks:
            held = held + block(held)
        out: Tensor = self.out(held) + self.offset
        return out
