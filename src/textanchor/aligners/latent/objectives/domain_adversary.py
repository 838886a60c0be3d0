"""Nobody can tell a translation from the real thing."""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor

from textanchor.aligners.latent.objectives.reversal import told_apart
from textanchor.aligners.latent.passing import Pass


def domain_adversary(made: Pass) -> Float[Tensor, ""]:
    """Cross entropy of a judge of texts (real against D_t(E_i(x))) and one of items (real against D_i(E_t(t))), reversed.

    Source: Zhu et al. 2017 (CycleGAN), arXiv:1703.10593, equation 1, by gradient reversal.
    """
    judges, batch = made.system.judges, made.batch
    texts = told_apart(judges["text"], batch.texts, made.items_as_texts, made.heat)
    return (texts + told_apart(judges["item"], batch.items, made.texts_as_items, made.heat)) / 2
