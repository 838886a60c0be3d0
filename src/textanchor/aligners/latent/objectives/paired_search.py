"""Partners find each other in the latent space."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from textanchor.aligners.latent.passing import Pass
from textanchor.losses import Batch


def paired_search(made: Pass) -> Float[Tensor, ""]:
    """The loss of search on latents of pairs; by default the max of hinges. Other captions of an item are no negatives.

    Source: Faghri et al. 2018 (VSE++), arXiv:1707.05612, equation 6.
    """
    loss: Tensor = made.search(searched(made.item, made.text, made.batch.same))
    return loss


def searched(item: Tensor, text: Tensor, same: Tensor) -> Batch:
    """Row i of the one belongs to row i of the other, and to every j with `same[i, j]`."""
    return Batch(item=item, bank=text, chosen=torch.arange(len(text), device=text.device), own=same)
