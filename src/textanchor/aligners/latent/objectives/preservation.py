"""Translation keeps who is near to whom."""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import mse_loss, normalize

from textanchor.aligners.latent.passing import Pass


def preservation(made: Pass) -> Float[Tensor, ""]:
    """Mean squared difference of all cosines within a batch before and after translation, both ways.

    Source: Jha et al. 2025 (vec2vec), arXiv:2505.12540, section 4 (vector space preservation), on centred vectors.
    """
    there = mse_loss(_cosines(made.items_as_texts), _cosines(made.batch.items))
    back = mse_loss(_cosines(made.texts_as_items), _cosines(made.batch.texts))
    return (there + back) / 2


def _cosines(vectors: Tensor) -> Tensor:
    held = normalize(vectors, dim=1)
    return held @ held.T
