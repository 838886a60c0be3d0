"""A correction on top of another projector."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import torch
from jaxtyping import Float
from torch import Tensor, nn

from textanchor import registry
from textanchor.projectors._framed import Framed
from textanchor.settings import Count, Dropout


class Residual(Framed):
    """base(x) + MLP(x): the base, a closed form, stays as it was solved; the MLP's last layer starts at zero.

    `base_settings` build the base anew. There is no `offset` to add: the base is where texts are already.
    """

    name = "residual"

    def __init__(
        self,
        *,
        dim_in: int,
        dim_out: int,
        base: str,
        base_settings: Mapping[str, Any],
        hidden: Count = 512,
        dropout: Dropout = 0.3,
    ) -> None:
        super().__init__(dim_in, dim_out)
        self.settings = {
            "dim_in": dim_in, "dim_out": dim_out, "base": base, "base_settings": dict(base_settings), "hidden": hidden,
            "dropout": dropout,
        }  # fmt: skip
        self.base = cast(nn.Module, registry.load("projector", base)(**base_settings))
        last = nn.Linear(hidden, dim_out)
        nn.init.zeros_(last.weight)
        nn.init.zeros_(last.bias)
        self.layers = nn.Sequential(nn.Linear(dim_in, hidden), nn.GELU(), nn.Dropout(dropout), last)

    def forward(self, latents: Float[Tensor, "n d_in"]) -> Float[Tensor, "n d_out"]:
        """Vectors in the anchor's space."""
        with torch.no_grad():
            start = self.base(latents)
        out: Tensor = start + self.layers(self.standard(latents))
        return out
