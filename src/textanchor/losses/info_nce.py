"""Contrast within the batch."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import normalize

from textanchor.losses import Batch, share


class InfoNCE(nn.Module):
    """Pull each item to its own text and away from the batch's other texts, and back again.

    `temperature` is dimensionless and divides cosines. Items that share a text are positives of each other's texts, never
    negatives: with class names as texts, a batch is full of them. `repeats_are_negatives` is the plain loss, which takes every
    other row for a negative; it is here to be measured.
    Sources: van den Oord et al. 2018, arXiv:1807.03748; both directions as in Radford et al. 2021, arXiv:2103.00020;
    several positives as in Yang et al. 2022 (UniCL), arXiv:2204.03610, equation 2.
    """

    def __init__(self, *, temperature: float = 0.1, repeats_are_negatives: bool = False) -> None:
        super().__init__()
        self.temperature, self.plain = temperature, repeats_are_negatives

    def forward(self, batch: Batch) -> Float[Tensor, ""]:
        """Mean of both directions, in nats."""
        scores = normalize(batch.item, dim=1) @ normalize(batch.text, dim=1).T / self.temperature
        same = torch.eye(len(scores), dtype=torch.bool) if self.plain else batch.same
        there, back = share(same, scores.log_softmax(dim=1)), share(same.T, scores.T.log_softmax(dim=1))
        return (there + back) / 2
