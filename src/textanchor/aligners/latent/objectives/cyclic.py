"""There and back through the other domain."""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import mse_loss

from textanchor.aligners.latent.passing import Pass


def cyclic(made: Pass) -> Float[Tensor, ""]:
    """Mean squared error of D_i(E_t(D_t(E_i(x)))) and D_t(E_i(D_i(E_t(t)))), in units of each side's variance.

    Source: Zhu et al. 2017 (CycleGAN), arXiv:1703.10593, equation 2, with squares in place of absolute values.
    """
    items, texts = made.system.to_item(made.items_again), made.system.to_text(made.texts_again)
    return (mse_loss(items, made.batch.items) + mse_loss(texts, made.batch.texts)) / 2
