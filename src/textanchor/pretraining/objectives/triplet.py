"""Items of a class nearer to each other than to items of another class, by a margin."""

from __future__ import annotations

from typing import Literal, TypeAlias

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.nn import functional

from textanchor.encoders.own import OwnNetwork
from textanchor.errors import InputError
from textanchor.pretraining.objectives.protocol import Comparing, Facts
from textanchor.settings import Amount, Count

Mining: TypeAlias = Literal["random", "semi-hard", "hard"]


class Triplet:
    """max(0, margin + distance to one's like - distance to another), a triplet an item of the batch; distances are Euclidean,
    between unit vectors of `dim` numbers.

    `mining` says which: `random` of each; `semi-hard`, one's like at random and the nearest other that is farther than it, or
    the farthest where none is; `hard`, the farthest like and the nearest other of the batch, with which a training may
    end where all items are one point and every triplet costs the margin (Schroff, section 3.2): take a lower rate then.
    Sources: Schroff et al. 2015 (FaceNet), arXiv:1503.03832, section 3.2; Hermans et al. 2017, arXiv:1703.07737, equation 5.
    """

    views, labelled = 1, True

    def __init__(self, *, margin: Amount = 0.2, mining: Mining = "semi-hard", dim: Count = 64) -> None:
        self.margin, self.mining, self.dim = margin, mining, dim

    def learner(self, network: OwnNetwork, facts: Facts) -> nn.Module:
        """With a linear head that is thrown away. Raises `InputError` for less than two classes."""
        if facts.classes < 2:
            raise InputError(f"triplet: {facts.classes} classes in the training data; at least 2 are needed")
        return Comparing(network, nn.Linear(network.dim, self.dim), TripletHinge(self.margin, self.mining))


class TripletHinge(nn.Module):
    """The mean hinge over items that have both a like and another in the batch; 0 where none has."""

    def __init__(self, margin: float, mining: Mining) -> None:
        super().__init__()
        self.margin, self.mining = margin, mining

    def forward(self, embedded: Float[Tensor, "v b e"], labels: Int[Tensor, " b"]) -> Float[Tensor, ""]:
        """In distances of unit vectors, at most `margin` + 2. Items without a class do not count."""
        labels = labels.repeat(embedded.shape[0])
        units = functional.normalize(embedded.flatten(0, 1).float(), dim=1)
        apart = (2 - 2 * units @ units.T).clamp(min=1e-9).sqrt()
        told = (labels >= 0)[:, None] & (labels >= 0)[None, :]
        same = labels[:, None] == labels[None, :]
        like = told & same & ~torch.eye(len(labels), dtype=torch.bool, device=labels.device)
        other = told & ~same
        place = self._like(apart.detach(), like)
        own = apart.gather(1, place[:, None])
        against = apart.gather(1, self._other(apart.detach(), own.detach(), other)[:, None])
        counts = like.any(dim=1) & other.any(dim=1)
        hinge = (self.margin + own - against).clamp(min=0)[:, 0] * counts
        return hinge.sum() / counts.sum().clamp(min=1)

    def _like(self, apart: Tensor, like: Bool[Tensor, "b b"]) -> Int[Tensor, " b"]:
        score = apart if self.mining == "hard" else torch.rand_like(apart)
        return score.masked_fill(~like, -1.0).argmax(dim=1)

    def _other(self, apart: Tensor, own: Float[Tensor, "b 1"], other: Bool[Tensor, "b b"]) -> Int[Tensor, " b"]:
        if self.mining == "random":
            return torch.rand_like(apart).masked_fill(~other, -1.0).argmax(dim=1)
        if self.mining == "hard":
            return apart.masked_fill(~other, torch.inf).argmin(dim=1)
        farther = other & (apart > own)
        nearest = apart.masked_fill(~farther, torch.inf).argmin(dim=1)
        return torch.where(farther.any(dim=1), nearest, apart.masked_fill(~other, -1.0).argmax(dim=1))
