"""Classification over the bank of anchor texts."""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import normalize

from textanchor.losses.batch import Batch, share
from textanchor.settings import Temperature


class BankSoftmax(nn.Module):
    """Pull each item to its own texts against all distinct training texts, by cosine.

    `temperature` is dimensionless and divides cosines. The bank holds each distinct text once, so a repeated class name is
    never its own negative. An item with several texts shares its probability among them.
    Sources: normalised softmax, Zhai and Wu 2019, arXiv:1811.12649; over frozen text vectors as in Frome et al. 2013
    (DeViSE) with the ranking loss replaced.
    """

    whole_bank = True

    def __init__(self, *, temperature: Temperature = 0.1) -> None:
        super().__init__()
        self.temperature = temperature

    def forward(self, batch: Batch) -> Float[Tensor, ""]:
        """Mean cross entropy in nats."""
        scores = normalize(batch.item, dim=1) @ normalize(batch.bank, dim=1).T
        return share(batch.own, (scores / self.temperature).log_softmax(dim=1))
