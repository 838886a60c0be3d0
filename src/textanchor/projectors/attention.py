"""Pooling tokens by attention instead of their mean."""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from textanchor.projectors._framed import Framed
from textanchor.settings import Count, Dropout


class Attention(Framed):
    """A learned query for each head weighs an item's tokens; the pooled heads go through one hidden layer.

    Queries start at zero, so training starts from the mean. An item's tokens are its encoder's patches or frames.
    Source: Ilse et al. 2018, arXiv:1802.04712, equation 8 without its hidden layer; heads as in Lee et al. 2019,
    arXiv:1810.00825.
    """

    name = "attention"
    ragged = True

    def __init__(self, *, dim_in: int, dim_out: int, heads: Count = 4, hidden: Count = 512, dropout: Dropout = 0.3) -> None:
        super().__init__(dim_in, dim_out)
        self.settings = {"dim_in": dim_in, "dim_out": dim_out, "heads": heads, "hidden": hidden, "dropout": dropout}
        self.queries = nn.Parameter(torch.zeros(heads, dim_in))
        self.layers = nn.Sequential(
            nn.Linear(heads * dim_in, hidden), nn.GELU(), nn.Dropout(dropout), nn.Linear(hidden, dim_out)
        )

    def forward(self, tokens: Float[Tensor, "n m d_in"], mask: Bool[Tensor, "n m"]) -> Float[Tensor, "n d_out"]:
        """Vectors in the anchor's space; `mask` says which tokens are real."""
        held = self.standard(tokens)
        weight = (held @ self.queries.T / held.shape[2] ** 0.5).masked_fill(~mask[:, :, None], -torch.inf).softmax(dim=1)
        pooled = torch.einsum("nmh,nmd->nhd", weight, held).flatten(1)
        out: Tensor = self.layers(pooled) + self.offset
        return out
