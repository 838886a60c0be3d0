"""Each side comes back from its own latent."""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import mse_loss

from textanchor.aligners.latent.passing import Pass


def autoreconstruction(made: Pass) -> Float[Tensor, ""]:
    """Mean squared error of D_i(E_i(x)) and D_t(E_t(t)) over single items and texts, in units of each side's variance."""
    items, texts = made.system.to_item(made.items), made.system.to_text(made.texts)
    return (mse_loss(items, made.batch.items) + mse_loss(texts, made.batch.texts)) / 2
