"""Answering with the texts of similar training items."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import normalize


class Relative(nn.Module):
    """Weighted mean of the training items' texts; the weights are the k largest cosines with their latents, to a power."""

    name = "relative"

    def __init__(self, *, dim_in: int, dim_out: int, landmarks: int, k: int, power: float) -> None:
        super().__init__()
        self.settings = {"dim_in": dim_in, "dim_out": dim_out, "landmarks": landmarks, "k": k, "power": power}
        self.k, self.power = k, power
        self.mean: Tensor
        self.landmarks: Tensor
        self.values: Tensor
        self.register_buffer("mean", torch.zeros(dim_in))
        self.register_buffer("landmarks", torch.zeros(landmarks, dim_in))
        self.register_buffer("values", torch.zeros(landmarks, dim_out))

    def forward(self, latents: Float[Tensor, "n d_in"]) -> Float[Tensor, "n d_out"]:
        """Vectors in the anchor's space."""
        near, rows = (normalize(latents - self.mean, dim=1) @ self.landmarks.T).topk(min(self.k, len(self.landmarks)), dim=1)
        weight = near.clamp_min(1e-6) ** self.power
        share = weight / weight.sum(dim=1, keepdim=True)
        sparse = latents.new_zeros(latents.shape[0], self.landmarks.shape[0]).scatter_(1, rows, share)  # sizes that graphs keep
        return sparse @ self.values
