"""Each side from its partner's latent."""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import mse_loss

from textanchor.aligners.latent.passing import Pass


def paired_reconstruction(made: Pass) -> Float[Tensor, ""]:
    """Mean squared error of D_t(E_i(x)) against the item's text and D_i(E_t(t)) against the text's item."""
    texts, items = made.system.to_text(made.item), made.system.to_item(made.text)
    return (mse_loss(texts, made.batch.text) + mse_loss(items, made.batch.item)) / 2
