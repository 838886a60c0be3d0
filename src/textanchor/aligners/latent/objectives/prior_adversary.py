"""The Gaussian of the latents by an adversary."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from textanchor.aligners.latent.objectives.reversal import told_apart
from textanchor.aligners.latent.passing import Pass


def prior_adversary(made: Pass) -> Float[Tensor, ""]:
    """Cross entropy of a judge that tells N(0, 1) from single items' and texts' latents, reversed for both encoders.

    Source: Tolstikhin et al. 2018 (WAE), arXiv:1711.01558, algorithm 1.
    """
    latents = torch.cat([made.items, made.texts])
    return told_apart(made.system.judges["prior"], torch.randn_like(latents), latents, made.heat)
