"""Two views of an item alike, and numbers that vary and do not repeat each other: no negatives."""

from __future__ import annotations

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional

from textanchor.encoders.own import OwnNetwork
from textanchor.pretraining.objectives.protocol import Comparing, Facts, head
from textanchor.settings import Amount, Count

SMALL = 1e-4


class VICReg:
    """Variance, invariance and covariance of two views behind a head of `dim` numbers, weighed by the settings of these names.

    Source: Bardes et al. 2022, arXiv:2105.04906, equations 1 to 6 and algorithm 1.
    """

    views, labelled = 2, False

    def __init__(
        self,
        *,
        invariance: Amount = 25.0,
        variance: Amount = 25.0,
        covariance: Amount = 1.0,
        hidden: Count = 256,
        dim: Count = 128,
    ) -> None:
        self.invariance, self.variance, self.covariance = invariance, variance, covariance
        self.hidden, self.dim = hidden, dim

    def learner(self, network: OwnNetwork, facts: Facts) -> nn.Module:
        """With a head that is thrown away."""
        rule = VarianceInvarianceCovariance(self.invariance, self.variance, self.covariance)
        return Comparing(network, head(network.dim, self.hidden, self.dim), rule)


class VarianceInvarianceCovariance(nn.Module):
    """The weighted sum of the three terms. A batch of one item has no variance, and teaches none."""

    def __init__(self, invariance: float, variance: float, covariance: float) -> None:
        super().__init__()
        self.invariance, self.variance, self.covariance = invariance, variance, covariance

    def forward(self, embedded: Float[Tensor, "2 b e"], labels: Int[Tensor, " b"]) -> Float[Tensor, ""]:
        """0 if views are the same, and every number has a deviation of 1 or more and tells what no other one tells."""
        first, second = embedded.float()
        loss = self.invariance * functional.mse_loss(first, second)
        for one in (first, second):
            loss = loss + self.variance * _steady(one) / 2 + self.covariance * _repeated(one)
        return loss


def _steady(view: Float[Tensor, "b e"]) -> Tensor:
    """How far deviations fall below 1, on average. The paper's equation 1 and 2; halved above, as in its code."""
    return (1 - torch.sqrt(view.var(dim=0, correction=min(1, len(view) - 1)) + SMALL)).clamp(min=0).mean()


def _repeated(view: Float[Tensor, "b e"]) -> Tensor:
    """Squared covariances of different numbers, by their count: equations 3 and 4."""
    centred = view - view.mean(dim=0)
    found = centred.T @ centred / max(1, len(view) - 1)
    return (found.square().sum() - found.diagonal().square().sum()) / view.shape[1]
