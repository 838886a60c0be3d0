"""A Gaussian kernel expansion over landmarks."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn


class Kernel(nn.Module):
    """sum_j exp(-gamma ||x - l_j||^2) c_j + offset, with landmarks l_j taken from the training latents.

    `gamma` has the unit of 1 / squared latent distance.
    """

    name = "kernel"

    def __init__(self, *, dim_in: int, dim_out: int, landmarks: int) -> None:
        super().__init__()
        self.settings = {"dim_in": dim_in, "dim_out": dim_out, "landmarks": landmarks}
        self.mean: Tensor
        self.gamma: Tensor
        self.landmarks: Tensor
        self.coefficients: Tensor
        self.offset: Tensor
        self.register_buffer("mean", torch.zeros(dim_in))
        self.register_buffer("gamma", torch.ones(()))
        self.register_buffer("landmarks", torch.zeros(landmarks, dim_in))
        self.register_buffer("coefficients", torch.zeros(landmarks, dim_out))
        self.register_buffer("offset", torch.zeros(dim_out))

    def forward(self, latents: Float[Tensor, "n d_in"]) -> Float[Tensor, "n d_out"]:
        """Vectors in the anchor's space."""
        return gaussian(latents - self.mean, self.landmarks, self.gamma) @ self.coefficients + self.offset


def gaussian(x: Float[Tensor, "n d"], y: Float[Tensor, "m d"], gamma: float | Tensor) -> Float[Tensor, "n m"]:
    """exp(-gamma ||x_i - y_j||^2)."""
    products = x @ y.T
    squared = products.mul_(-2).add_(x.square().sum(1)[:, None]).add_(y.square().sum(1))
    return squared.clamp_min_(0).mul_(-gamma).exp_()
