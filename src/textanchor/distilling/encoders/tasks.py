"""Tasks that have a target for each item: regression, and cross entropy with soft classes."""

from __future__ import annotations

from typing import cast

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from textanchor.distilling.encoders.targets import Rows
from textanchor.encoders.own import OwnNetwork
from textanchor.pretraining.objectives import Facts, Seen
from textanchor.pretraining.objectives.protocol import head

HIDDEN = 256


class Imitation:
    """Mean squared error to targets [n, k], through a head that is thrown away."""

    views, labelled = 1, False

    def __init__(self, targets: Rows) -> None:
        self.targets = targets

    def learner(self, network: OwnNetwork, facts: Facts) -> nn.Module:
        """Batches hold the numbers of items."""
        return Following(network, head(network.dim, HIDDEN, self.targets.shape[1]), self.targets, temperature=None)


class SoftClasses:
    """Cross entropy with soft classes [n, k], both at a temperature, through a linear classifier.

    Source: Chen et al. 2020, arXiv:2006.10029, equation 2.
    """

    views, labelled = 1, False

    def __init__(self, targets: Rows, temperature: float) -> None:
        self.targets, self.temperature = targets, temperature

    def learner(self, network: OwnNetwork, facts: Facts) -> nn.Module:
        """Batches hold the numbers of items."""
        return Following(network, nn.Linear(network.dim, self.targets.shape[1]), self.targets, temperature=self.temperature)


class Following(nn.Module):
    """A network, a head, and what it should give; with a temperature targets are probabilities."""

    def __init__(self, network: OwnNetwork, projection: nn.Module, targets: Rows, *, temperature: float | None) -> None:
        super().__init__()
        self.network, self.projection, self._temperature = network, projection, temperature
        self.register_buffer("targets", torch.from_numpy(targets), persistent=False)

    def forward(self, seen: Seen) -> Float[Tensor, ""]:
        """A mean over items."""
        wanted = cast(Tensor, self.targets)[seen.labels]
        found = self.projection(self.network(seen.views[0]))
        if self._temperature is None:
            return functional.mse_loss(found, wanted)
        return functional.cross_entropy(found / self._temperature, wanted)
