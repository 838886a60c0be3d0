"""Contrast within the batch."""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.nn.functional import normalize

from textanchor.losses.batch import Batch
from textanchor.settings import Temperature


class InfoNCE(nn.Module):
    """Pull each item to its own texts and away from the batch's other texts, and back again.

    `temperature` is dimensionless and divides cosines. Items that share a text are positives of each other's texts, never
    negatives: each positive is contrasted with true negatives alone. Merely calling them positives and leaving them in the
    denominator, as UniCL does, is the plain loss again where texts are frozen: equal texts have equal scores.
    `repeats_are_negatives` is that plain loss; it is here to be measured.
    Sources: van den Oord et al. 2018, arXiv:1807.03748; both directions as in Radford et al. 2021, arXiv:2103.00020; positives
    out of the denominator as in Feeney and Hughes 2023 (SINCERE), arXiv:2309.14277, equation 6.
    """

    def __init__(self, *, temperature: Temperature = 0.1, repeats_are_negatives: bool = False) -> None:
        super().__init__()
        self.temperature, self.plain = temperature, repeats_are_negatives

    def forward(self, batch: Batch) -> Float[Tensor, ""]:
        """Mean of both directions, in nats."""
        scores = normalize(batch.item, dim=1) @ normalize(batch.text, dim=1).T / self.temperature
        same = batch.positives(repeats_are_negatives=self.plain)
        return (_side(scores, same) + _side(scores.T, same.T)) / 2


def _side(scores: Float[Tensor, "n m"], same: Bool[Tensor, "n m"]) -> Float[Tensor, ""]:
    others = scores.masked_fill(same, torch.finfo(scores.dtype).min / 2).logsumexp(dim=1, keepdim=True)
    each = torch.logaddexp(scores, others) - scores
    return ((each * same).sum(dim=1) / same.sum(dim=1)).mean()
