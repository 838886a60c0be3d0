"""Nobody can tell from a latent whether it was an item or a text."""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor

from textanchor.aligners.latent.objectives.reversal import told_apart
from textanchor.aligners.latent.passing import Pass


def latent_adversary(made: Pass) -> Float[Tensor, ""]:
    """Cross entropy of a modality classifier on latents of single items and texts, reversed for both encoders.

    Source: He et al. 2017, Unsupervised cross-modal retrieval through adversarial learning, ICME,
    doi:10.1109/ICME.2017.8019549, section 3 (modality classifier).
    """
    return told_apart(made.system.judges["latent"], made.items, made.texts, made.heat)
