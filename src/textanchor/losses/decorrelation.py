"""Dimensions that do not repeat each other."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn

from textanchor.losses.batch import Batch
from textanchor.settings import Amount


class Decorrelation(nn.Module):
    """Squared off-diagonal correlations between an item's dimensions and its text's, plus (1 - diagonal)^2.

    `off` weighs the off-diagonal part. Divided by the dimension, so that it stays near 1.
    Source: Zbontar et al. 2021 (Barlow Twins), arXiv:2103.03230, equation 1, with the text as the other view.
    """

    def __init__(self, *, off: Amount = 0.005) -> None:
        super().__init__()
        self.off = off

    def forward(self, batch: Batch) -> Float[Tensor, ""]:
        """Dimensionless."""
        left, right = (_standard(side) for side in (batch.item, batch.text))
        found = left.T @ right / len(left)
        on = (1 - found.diagonal()).square().sum()
        return (on + self.off * (found.square().sum() - found.diagonal().square().sum())) / len(found)


def _standard(rows: Float[Tensor, "b d"]) -> Float[Tensor, "b d"]:
    centred = rows - rows.mean(dim=0)
    return centred / torch.sqrt(centred.square().mean(dim=0) + 1e-8)
