"""Several losses at once."""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor, nn

from textanchor import registry
from textanchor.errors import InputError
from textanchor.losses.batch import Batch
from textanchor.settings import Numbers


class WeightedSum(nn.Module):
    """Weighted sum of other losses: `sum(a=mse, b=info-nce(temperature=0.05), weights=[1, 0.1])`.

    Names of the terms are free; `weights` are in the order of the terms, 1 each by default.
    """

    def __init__(self, *, weights: Numbers | None = None, **terms: str) -> None:
        super().__init__()
        given = [1.0] * len(terms) if weights is None else weights
        if not terms or len(given) != len(terms):
            raise InputError(f"sum: {len(terms)} losses and {len(given)} weights; expected as many, such as sum(a=mse, b=bank)")
        self.terms = nn.ModuleList([registry.part("loss", spec) for spec in terms.values()])
        self.whole_bank = any(getattr(term, "whole_bank", False) for term in self.terms)
        self.weights = [float(weight) for weight in given]

    def forward(self, batch: Batch) -> Float[Tensor, ""]:
        """In the terms' own units."""
        found: Tensor = sum((w * term(batch) for w, term in zip(self.weights, self.terms, strict=True)), batch.item.sum() * 0)
        return found
