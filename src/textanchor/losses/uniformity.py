"""Spreading over the sphere."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import normalize

from textanchor.losses.batch import Batch
from textanchor.settings import Positive


class Uniformity(nn.Module):
    """log of the mean of exp(-t ||x - y||^2) over pairs of items that share no text.

    It pulls nothing, so it is a term of a `sum`. Source: Wang and Isola 2020, arXiv:2005.10242, equation 5.
    """

    def __init__(self, *, t: Positive = 2.0) -> None:
        super().__init__()
        self.t = t

    def forward(self, batch: Batch) -> Float[Tensor, ""]:
        """In [-4 t, 0]; 0 where no two items differ in text."""
        unit = normalize(batch.item, dim=1)
        other = (batch.own.float() @ batch.own.float().T) == 0
        potential = -self.t * (2 - 2 * unit @ unit.T)
        found = potential.masked_fill(~other, -torch.inf)
        return (found.flatten().logsumexp(0) - other.sum().log()) if other.any() else potential.sum() * 0
