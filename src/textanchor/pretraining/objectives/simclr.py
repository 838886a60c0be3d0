"""Two views of an item are to be found among the views of all others."""

from __future__ import annotations

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional

from textanchor.encoders.own import OwnNetwork
from textanchor.pretraining.objectives.protocol import Comparing, Facts, head
from textanchor.settings import Count, Temperature


class SimCLR:
    """NT-Xent over two augmentations, each in the role of the query once, behind a projection head of `dim` numbers.

    Source: Chen et al. 2020, arXiv:2002.05709, equation 1 and algorithm 1.
    """

    views, labelled = 2, False

    def __init__(self, *, temperature: Temperature = 0.2, hidden: Count = 256, dim: Count = 128) -> None:
        self.temperature, self.hidden, self.dim = temperature, hidden, dim

    def learner(self, network: OwnNetwork, facts: Facts) -> nn.Module:
        """With a head that is thrown away."""
        return Comparing(network, head(network.dim, self.hidden, self.dim), NTXent(self.temperature))


class NTXent(nn.Module):
    """The normalised, temperature-scaled cross entropy."""

    def __init__(self, temperature: float) -> None:
        super().__init__()
        self.temperature = temperature

    def forward(self, embedded: Float[Tensor, "2 b e"], labels: Int[Tensor, " b"]) -> Float[Tensor, ""]:
        """Mean over all 2 b views, in nats."""
        items = embedded.shape[1]
        units = functional.normalize(embedded.flatten(0, 1).float(), dim=1)
        alike = units @ units.T / self.temperature
        alike = alike.masked_fill(torch.eye(2 * items, dtype=torch.bool, device=alike.device), -torch.inf)
        partner = torch.arange(2 * items, device=alike.device).roll(items)
        return functional.cross_entropy(alike, partner)
