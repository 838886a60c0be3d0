"""A mixture of experts."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn

from textanchor.projectors._framed import Framed
from textanchor.settings import Count, Dropout


class Mixture(Framed):
    """Several one-hidden-layer experts, weighted per item by a softmax gate; every expert answers for every item.

    Source: Jacobs et al. 1991, doi:10.1162/neco.1991.3.1.79, equation 1, without sparsity.
    """

    name = "mixture"

    def __init__(self, *, dim_in: int, dim_out: int, experts: Count = 4, hidden: Count = 128, dropout: Dropout = 0.3) -> None:
        super().__init__(dim_in, dim_out)
        self.settings = {"dim_in": dim_in, "dim_out": dim_out, "experts": experts, "hidden": hidden, "dropout": dropout}
        self.gate = nn.Linear(dim_in, experts)
        self.experts = nn.ModuleList(
            nn.Sequential(nn.Linear(dim_in, hidden), nn.GELU(), nn.Dropout(dropout), nn.Linear(hidden, dim_out))
            for _ in range(experts)
        )

    def forward(self, latents: Float[Tensor, "n d_in"]) -> Float[Tensor, "n d_out"]:
        """Vectors in the anchor's space."""
        held = self.standard(latents)
        answers = torch.stack([expert(held) for expert in self.experts], dim=1)
        out: Tensor = (self.gate(held).softmax(dim=1)[:, :, None] * answers).sum(dim=1) + self.offset
        return out
