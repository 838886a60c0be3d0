"""Adversaries: a judge that learns to tell two samples apart, and a gradient that is turned around on its way to them."""

from __future__ import annotations

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits


class _Reversal(torch.autograd.Function):
    @staticmethod
    def forward(context: Any, vectors: Tensor, heat: float) -> Tensor:
        context.heat = heat
        return vectors.view_as(vectors)

    @staticmethod
    def backward(context: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        return -context.heat * gradients[0], None


def reversed_gradient(vectors: Float[Tensor, "n d"], heat: float) -> Float[Tensor, "n d"]:
    """The vectors as they are; their gradient is multiplied by -`heat`.

    Source: Ganin and Lempitsky 2015, arXiv:1409.7495, equations 13 to 15.
    """
    turned: Tensor = _Reversal.apply(vectors, heat)  # type: ignore[no-untyped-call]
    return turned


def told_apart(judge: nn.Module, ones: Float[Tensor, "n d"], zeros: Float[Tensor, "m d"], heat: float) -> Float[Tensor, ""]:
    """Mean binary cross entropy in nats of a judge that says which sample a vector is from; both samples resist it."""
    losses = []
    for vectors, label in ((ones, 1.0), (zeros, 0.0)):
        logits = judge(reversed_gradient(vectors, heat))
        losses.append(binary_cross_entropy_with_logits(logits, torch.full_like(logits, label)))
    return (losses[0] + losses[1]) / 2
