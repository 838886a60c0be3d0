"""Own text nearer than another one, by a margin."""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.nn.functional import normalize

from textanchor.errors import InputError
from textanchor.losses.batch import Batch
from textanchor.settings import Margin

MINING = ("random", "semi-hard", "hard")


class Triplet(nn.Module):
    """max(0, margin - cos(item, own text) + cos(item, other text)), and the same from the text's side.

    `mining` picks each row's one negative: `random`; `semi-hard`, the nearest that is farther than the positive, or the
    farthest where none is; `hard`, the nearest of all, whose loss is the max of hinges. Equal texts are never negatives; a row
    without any negative does not count. `repeats_are_negatives` is the published loss; it is here to be measured.
    Sources: Schroff et al. 2015, arXiv:1503.03832, section 3.2 (semi-hard); Faghri et al. 2018 (VSE++), arXiv:1707.05612,
    equation 6 (max of hinges).
    """

    def __init__(self, *, margin: Margin = 0.2, mining: str = "hard", repeats_are_negatives: bool = False) -> None:
        super().__init__()
        if mining not in MINING:
            raise InputError(f"triplet: mining={mining}; expected {', '.join(MINING)}")
        self.margin, self.mining, self.plain = margin, mining, repeats_are_negatives

    def forward(self, batch: Batch) -> Float[Tensor, ""]:
        """Mean hinge of both directions, in cosine."""
        scores = normalize(batch.item, dim=1) @ normalize(batch.text, dim=1).T
        same = batch.positives(repeats_are_negatives=self.plain)
        return (self._side(scores, same) + self._side(scores.T, same.T)) / 2

    def _side(self, scores: Float[Tensor, "b b"], same: Bool[Tensor, "b b"]) -> Float[Tensor, ""]:
        own = scores.diagonal()
        other = scores.gather(1, self._negative(scores.detach(), own.detach(), same)[:, None])[:, 0]
        hinge = (self.margin - own + other).clamp_min(0) * (~same).any(dim=1)
        return hinge.mean()

    def _negative(self, scores: Tensor, own: Tensor, same: Tensor) -> Tensor:
        if self.mining == "random":
            return torch.rand_like(scores).masked_fill(same, -1.0).argmax(dim=1)
        if self.mining == "hard":
            return scores.masked_fill(same, -torch.inf).argmax(dim=1)
        farther = (~same) & (scores < own[:, None])
        nearest = scores.masked_fill(~farther, -torch.inf).argmax(dim=1)
        return torch.where(farther.any(dim=1), nearest, scores.masked_fill(same, torch.inf).argmin(dim=1))
