"""Views of an item predict each other, and all embeddings together are an isotropic Gaussian cloud."""

from __future__ import annotations

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional

from textanchor.encoders.own import OwnNetwork
from textanchor.pretraining.objectives.protocol import Comparing, Facts, head
from textanchor.settings import Count, Share

EDGE, KNOTS = 5.0, 17  # where the characteristic function is looked at: from -EDGE to EDGE


class SIGReg:
    """LeJEPA: `weight` of sketched isotropic Gaussian regularisation, the rest of prediction between `views` augmentations.

    Each of `slices` random directions is tested for a standard normal distribution. No negatives, no teacher, one weight.
    Source: Balestriero and LeCun 2025, arXiv:2511.08544, section 5 and algorithms 1 and 2.
    """

    labelled = False

    def __init__(
        self, *, weight: Share = 0.05, slices: Count = 256, views: Count = 2, hidden: Count = 256, dim: Count = 64
    ) -> None:
        self.weight, self.slices, self.views, self.hidden, self.dim = weight, slices, views, hidden, dim

    def learner(self, network: OwnNetwork, facts: Facts) -> nn.Module:
        """With a head that is thrown away."""
        return Comparing(network, head(network.dim, self.hidden, self.dim), Predicting(self.weight, self.slices))


class Predicting(nn.Module):
    """The two terms."""

    def __init__(self, weight: float, slices: int) -> None:
        super().__init__()
        self.weight, self.slices = weight, slices

    def forward(self, embedded: Float[Tensor, "v b e"], labels: Int[Tensor, " b"]) -> Float[Tensor, ""]:
        """Each view's squared distance to the mean of the item's views, by number; and the statistic, mean over views."""
        embedded = embedded.float()
        apart = (embedded - embedded.mean(dim=0)).square().mean()
        across = functional.normalize(torch.randn(embedded.shape[-1], self.slices, device=embedded.device), dim=0)
        gaussian = torch.stack([epps_pulley(view @ across).mean() for view in embedded]).mean()
        return (1 - self.weight) * apart + self.weight * gaussian


def epps_pulley(values: Float[Tensor, "b k"]) -> Float[Tensor, " k"]:
    """How far each column is from b draws of a standard normal variable: 0 at best.

    b times the integral, by trapezes, of |empirical - normal characteristic function|^2, weighed by the normal density's own.
    Source: Epps and Pulley 1983, doi:10.1093/biomet/70.3.723; without estimates of mean and deviation, as in arXiv:2511.08544.
    """
    at = torch.linspace(-EDGE, EDGE, KNOTS, device=values.device)
    normal = torch.exp(-at.square() / 2)
    angles = values[..., None] * at
    apart = (angles.cos().mean(dim=0) - normal).square() + angles.sin().mean(dim=0).square()
    return len(values) * torch.trapezoid(apart * normal, at, dim=-1)
