"""Supervised contrast, among items and with their texts."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn

from textanchor.losses.batch import Batch
from textanchor.settings import Temperature


class SupCon(nn.Module):
    """Each item's positives are the items and the texts of the batch that share a text with it.

    `temperature` is dimensionless and divides cosines. It is pytorch-metric-learning's loss, fed with the pairs.
    Source: Khosla et al. 2020, arXiv:2004.11362, equation 2 (the sum outside the logarithm).
    """

    def __init__(self, *, temperature: Temperature = 0.1) -> None:
        super().__init__()
        from pytorch_metric_learning.losses import SupConLoss

        self.loss = SupConLoss(temperature=temperature)

    def forward(self, batch: Batch) -> Float[Tensor, ""]:
        """Mean over items, in nats."""
        others = torch.cat([batch.item, batch.text])
        alike = (batch.own.float() @ batch.own.float().T) > 0
        same = torch.cat([alike, batch.same], dim=1)
        myself = torch.eye(len(same), len(others), dtype=torch.bool, device=same.device)
        pairs = (*torch.where(same & ~myself), *torch.where(~same))
        out: Tensor = self.loss(batch.item, indices_tuple=pairs, ref_emb=others, ref_labels=None)
        return out
