"""Latents of both sides look as if drawn from one Gaussian."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from textanchor.aligners.latent.passing import Pass

SCALES = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)


def gaussian(made: Pass) -> Float[Tensor, ""]:
    """Squared maximum mean discrepancy of single items' and texts' latents from N(0, 1), the mean of both.

    Sources: Tolstikhin et al. 2018 (WAE), arXiv:1711.01558, algorithm 2; for both sides of pairs Mahajan et al. 2019 (jWAE),
    arXiv:1909.06635, section 3.
    """
    items, texts = (discrepancy(one, torch.randn_like(one)) for one in (made.items, made.texts))
    return (items + texts) / 2


def discrepancy(one: Float[Tensor, "n d"], other: Float[Tensor, "m d"]) -> Float[Tensor, ""]:
    """Unbiased squared MMD with the sum of inverse multiquadratic kernels c / (c + ||x - y||^2), c = 2 d s over scales s.

    For as many rows on both sides as algorithm 2 of Tolstikhin et al. 2018 has it; it may fall a little below 0.
    """
    within = [_between(side, side).fill_diagonal_(0).sum() / (len(side) * (len(side) - 1)) for side in (one, other)]
    return within[0] + within[1] - 2 * _between(one, other).mean()


def _between(one: Tensor, other: Tensor) -> Tensor:
    squared = (one.square().sum(1)[:, None] + other.square().sum(1) - 2 * one @ other.T).clamp_min(0)
    total = torch.zeros_like(squared)
    for scale in SCALES:
        unit = 2 * one.shape[1] * scale
        total = total + unit / (unit + squared)
    return total
