"""One projector after another."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from jaxtyping import Float
from torch import Tensor, nn

from textanchor import registry


class Chain(nn.Module):
    """second(first(x)): an encoder into a latent space and a decoder out of it, both registered projectors.

    `first_settings` and `second_settings` build them anew.
    """

    name = "chain"

    def __init__(
        self,
        *,
        dim_in: int,
        dim_out: int,
        first: str,
        first_settings: Mapping[str, Any],
        second: str,
        second_settings: Mapping[str, Any],
    ) -> None:
        super().__init__()
        self.settings = {
            "dim_in": dim_in, "dim_out": dim_out, "first": first, "first_settings": dict(first_settings), "second": second,
            "second_settings": dict(second_settings),
        }  # fmt: skip
        self.first = cast(nn.Module, registry.load("projector", first)(**first_settings))
        self.second = cast(nn.Module, registry.load("projector", second)(**second_settings))

    def forward(self, latents: Float[Tensor, "n d_in"]) -> Float[Tensor, "n d_out"]:
        """Vectors in the anchor's space."""
        out: Tensor = self.second(self.first(latents))
        return out
