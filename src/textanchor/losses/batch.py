"""What losses are called with."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor


@dataclass(frozen=True, kw_only=True)
class Batch:
    """Projected items, the bank of distinct anchor texts, and who belongs to whom.

    *Shapes:* item [b, d]; bank [t, d]; chosen [b], the row in the bank of the text drawn for each item; own [b, t], which
    texts of the bank describe an item. The bank holds each text once, so texts are equal exactly where rows are.
    """

    item: Float[Tensor, "b d"]
    bank: Float[Tensor, "t d"]
    chosen: Int[Tensor, " b"]
    own: Bool[Tensor, "b t"]

    @property
    def text(self) -> Float[Tensor, "b d"]:
        """The anchor vector of each item's drawn text."""
        return self.bank[self.chosen]

    @property
    def same(self) -> Bool[Tensor, "b b"]:
        """`same[i, j]`: the text drawn for j describes i too. Such pairs are positives, never negatives."""
        return self.own[:, self.chosen]

    def positives(self, *, repeats_are_negatives: bool) -> Bool[Tensor, "b b"]:
        """`same`, or the plain contrastive choice: an item's own row alone, equal texts in other rows being negatives."""
        return torch.eye(len(self.item), dtype=torch.bool, device=self.item.device) if repeats_are_negatives else self.same

    def take(self, rows: Int[Tensor, " m"], *, item: Float[Tensor, "m d"]) -> Batch:
        """Those rows' texts with other items."""
        return replace(self, item=item, chosen=self.chosen[rows], own=self.own[rows])


def share(mask: Bool[Tensor, "n m"], log_p: Float[Tensor, "n m"]) -> Float[Tensor, ""]:
    """Cross entropy in nats with a row's probability shared among its positives; rows without any do not count."""
    mass = mask.to(log_p.dtype)
    count = mass.sum(dim=1)
    per_row = -(mass * log_p).sum(dim=1) / count.clamp_min(1)
    return per_row.sum() / torch.count_nonzero(count).clamp_min(1)
