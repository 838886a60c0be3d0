"""Keeping how the texts stand to each other."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import normalize, smooth_l1_loss

from textanchor.errors import InputError
from textanchor.losses.batch import Batch


class Relational(nn.Module):
    """The items' Gram matrix of cosines (`gram`), or their distances in units of the mean one (`distance`), as the texts'.

    Alone it leaves the position open, so it is a term of a `sum`.
    Sources: Park et al. 2019 (RKD), arXiv:1904.05068, equations 4 to 6 (distance); Tung and Mori 2019, arXiv:1907.09682,
    equation 3 (Gram matrix).
    """

    def __init__(self, *, kind: str = "gram") -> None:
        super().__init__()
        if kind not in ("gram", "distance"):
            raise InputError(f"relational: kind={kind}; expected gram or distance")
        self.kind = kind

    def forward(self, batch: Batch) -> Float[Tensor, ""]:
        """Mean over pairs of the batch; squared cosine, or Huber loss of the scaled distance."""
        item, text = batch.item, batch.text
        if self.kind == "gram":
            mine, theirs = (normalize(side, dim=1) for side in (item, text))
            return (mine @ mine.T - theirs @ theirs.T).square().mean()
        return smooth_l1_loss(_distances(item), _distances(text))


def _distances(rows: Float[Tensor, "b d"]) -> Float[Tensor, "b b"]:
    found = torch.cdist(rows, rows)
    return found / found.mean().clamp_min(1e-6)
