"""From a classifier's scores to the anchor vectors of its classes' names, alone or beside a fitted projector."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import layer_norm

from textanchor import registry
from textanchor.records import Named

EPSILON = 1e-12


class Names(nn.Module):
    """The mean of the names' anchor vectors, each by its class's probability: softmax(scores / temperature) @ vectors.

    Nothing in it is fitted. `log_shares` are added to the scores: what a name counts beside the classifier's score.
    Source: Norouzi et al. 2014 (ConSE), arXiv:1312.5650, equation 4, over all classes and with a temperature.
    """

    name = "names"

    def __init__(self, *, dim_in: int, dim_out: int, classes: int, temperature: float, standardise: bool = False) -> None:
        super().__init__()
        self.settings = {
            "dim_in": dim_in, "dim_out": dim_out, "classes": classes, "temperature": temperature, "standardise": standardise,
        }  # fmt: skip
        self.temperature, self.standardise = temperature, standardise
        self.weight: Tensor
        self.bias: Tensor
        self.log_shares: Tensor
        self.vectors: Tensor
        self.register_buffer("weight", torch.zeros(classes, dim_in))
        self.register_buffer("bias", torch.zeros(classes))
        self.register_buffer("log_shares", torch.zeros(classes))
        self.register_buffer("vectors", torch.zeros(classes, dim_out))

    def forward(self, latents: Float[Tensor, "n d_in"]) -> Float[Tensor, "n d_out"]:
        """Vectors in the anchor's space, within the hull of the names'."""
        if self.standardise:
            latents = layer_norm(latents, (int(self.settings["dim_in"]),), eps=EPSILON)  # a plain number, for graphs
        scores = (latents @ self.weight.T + self.bias) / self.temperature + self.log_shares
        return scores.softmax(dim=1) @ self.vectors


class Prior(nn.Module):
    """base(x) + weight (names(x) - mean): what was fitted on pairs, and what the encoder's classifier knew before.

    `base_settings` build the base anew, `names_settings` the names' projector; `mean` is its mean over the training items.
    """

    name = "prior"

    def __init__(
        self,
        *,
        dim_in: int,
        dim_out: int,
        base: str,
        base_settings: Mapping[str, Any],
        names_settings: Mapping[str, Any],
    ) -> None:
        super().__init__()
        self.settings = {
            "dim_in": dim_in, "dim_out": dim_out, "base": base, "base_settings": dict(base_settings),
            "names_settings": dict(names_settings),
        }  # fmt: skip
        self.base = cast(nn.Module, registry.load("projector", base)(**base_settings))
        self.names = Names(**names_settings)
        self.weight: Tensor
        self.mean: Tensor
        self.register_buffer("weight", torch.zeros(()))
        self.register_buffer("mean", torch.zeros(dim_out))

    def forward(self, latents: Float[Tensor, "n d_in"]) -> Float[Tensor, "n d_out"]:
        """Vectors in the anchor's space."""
        out: Tensor = self.base(latents) + self.weight * (self.names(latents) - self.mean)
        return out


def names_projector(named: Named, temperature: float) -> Names:
    """The projector of a classifier's names."""
    head = named.head
    made = Names(
        dim_in=head.weight.shape[1],
        dim_out=named.anchors.shape[1],
        classes=len(head.names),
        temperature=temperature,
        standardise=head.standardise,
    )
    numbers = {"weight": head.weight, "bias": head.bias, "vectors": named.anchors}
    state = {name: torch.from_numpy(value.copy()) for name, value in numbers.items()}
    made.load_state_dict({**state, "log_shares": torch.from_numpy(named.shares).log()})
    return made.eval()
