"""Every pair of the batch a yes-or-no question."""

from __future__ import annotations

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import logsigmoid, normalize

from textanchor.losses.batch import Batch
from textanchor.settings import Temperature


class SigLIP(nn.Module):
    """Logistic loss of each item with each text of the batch; equal texts are positives.

    `temperature` divides cosines and `bias` is added; both are learned from these starting values. `repeats_are_negatives` is
    the loss as published, for pairs that are all different; it is here to be measured.
    Source: Zhai et al. 2023, arXiv:2303.15343, equation 1 and algorithm 1.
    """

    def __init__(self, *, temperature: Temperature = 0.1, bias: float = -10.0, repeats_are_negatives: bool = False) -> None:
        super().__init__()
        self.plain = repeats_are_negatives
        self.log_scale = nn.Parameter(torch.tensor(-math.log(temperature)))
        self.bias = nn.Parameter(torch.tensor(float(bias)))

    def forward(self, batch: Batch) -> Float[Tensor, ""]:
        """Sum over the texts, mean over the items, in nats."""
        scores = normalize(batch.item, dim=1) @ normalize(batch.text, dim=1).T * self.log_scale.exp() + self.bias
        sign = batch.positives(repeats_are_negatives=self.plain).to(scores.dtype) * 2 - 1
        return -logsigmoid(sign * scores).sum(dim=1).mean()
