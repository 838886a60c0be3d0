"""Singles find their own translations in the latent space."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from textanchor.aligners.latent.objectives.paired_search import searched
from textanchor.aligners.latent.passing import Pass


def unpaired_search(made: Pass) -> Float[Tensor, ""]:
    """The loss of search on pairs that a cycle makes: E_i(x) with E_t(D_t(E_i(x))), and E_i(D_i(E_t(t))) with E_t(t).

    It asks of the way there and back what cyclic reconstruction asks, but only as far as the latent space, and only that the
    right one is found among the others of the batch. Rows that are equal are no negatives.
    """
    items, texts = _equal(made.batch.items), _equal(made.batch.texts)
    there = made.search(searched(made.items, made.items_again, items))
    back: Tensor = made.search(searched(made.texts_again, made.texts, texts))
    return (there + back) / 2


def _equal(vectors: Tensor) -> Tensor:
    """`same[i, j]`: rows i and j are equal, as when few items fill a batch several times."""
    _, number = torch.unique(vectors, dim=0, return_inverse=True)
    return number[:, None] == number[None, :]
