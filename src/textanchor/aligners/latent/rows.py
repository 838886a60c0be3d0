"""The aligners by name: which objectives they weigh, and their defaults."""

from __future__ import annotations

from textanchor.aligners.latent.system import LatentSystem, Space
from textanchor.settings import Count, Decay, Dropout, LossName, Rate, Weight


def vse(
    *,
    paired_search: Weight = 1.0,
    search: LossName = "triplet",
    start: str = "random",
    space: Space = "auto",
    hubness: str = "csls",
    dim: Count = 256,
    hidden: Count = 256,
    dropout: Dropout = 0.1,
    epochs: Count = 10,
    rate: Rate = 1e-3,
    decay: Decay = 1e-2,
    batch: Count = 256,
    restarts: Count = 1,
) -> LatentSystem:
    """VSE++: two encoders and the max of hinges; of unpaired data it makes nothing.

    What brings an item's latent into the anchor's space is a least squares fit, since nothing trains a decoder.
    Source: Faghri et al. 2018, arXiv:1707.05612, equation 6.
    """
    return LatentSystem(
        weights={
            "paired_search": paired_search,
        },
        search=search,
        start=start,
        space=space,
        hubness=hubness,
        dim=dim,
        hidden=hidden,
        dropout=dropout,
        epochs=epochs,
        rate=rate,
        decay=decay,
        batch=batch,
        restarts=restarts,
    )


def adversarial(
    *,
    autoreconstruction: Weight = 1.0,
    latent_adversary: Weight = 0.1,
    paired_search: Weight = 1.0,
    search: LossName = "triplet",
    start: str = "random",
    space: Space = "auto",
    hubness: str = "csls",
    dim: Count = 256,
    hidden: Count = 256,
    dropout: Dropout = 0.1,
    epochs: Count = 10,
    rate: Rate = 1e-3,
    decay: Decay = 1e-2,
    batch: Count = 256,
    restarts: Count = 1,
) -> LatentSystem:
    """Autoencoders whose latents a modality classifier cannot tell apart, by gradient reversal; pairs by `paired_search`.

    Source: He et al. 2017, Unsupervised cross-modal retrieval through adversarial learning, ICME,
    doi:10.1109/ICME.2017.8019549, section 3; the paper's pairs come from its data, here a search is trained on them.
    """
    return LatentSystem(
        weights={
            "autoreconstruction": autoreconstruction,
            "latent_adversary": latent_adversary,
            "paired_search": paired_search,
        },
        search=search,
        start=start,
        space=space,
        hubness=hubness,
        dim=dim,
        hidden=hidden,
        dropout=dropout,
        epochs=epochs,
        rate=rate,
        decay=decay,
        batch=batch,
        restarts=restarts,
    )


def jwae(
    *,
    autoreconstruction: Weight = 1.0,
    gaussian: Weight = 0.1,
    prior_adversary: Weight = 0.0,
    paired_search: Weight = 1.0,
    search: LossName = "triplet",
    start: str = "random",
    space: Space = "auto",
    hubness: str = "csls",
    dim: Count = 256,
    hidden: Count = 256,
    dropout: Dropout = 0.1,
    epochs: Count = 10,
    rate: Rate = 1e-3,
    decay: Decay = 1e-2,
    batch: Count = 256,
    restarts: Count = 1,
) -> LatentSystem:
    """Joint Wasserstein autoencoders: both sides' latents are one Gaussian's, by MMD or an adversary, and pairs are aligned.

    Source: Mahajan et al. 2019, arXiv:1909.06635, section 3.
    """
    return LatentSystem(
        weights={
            "autoreconstruction": autoreconstruction,
            "gaussian": gaussian,
            "prior_adversary": prior_adversary,
            "paired_search": paired_search,
        },
        search=search,
        start=start,
        space=space,
        hubness=hubness,
        dim=dim,
        hidden=hidden,
        dropout=dropout,
        epochs=epochs,
        rate=rate,
        decay=decay,
        batch=batch,
        restarts=restarts,
    )


def cycle(
    *,
    autoreconstruction: Weight = 1.0,
    cyclic: Weight = 1.0,
    paired_reconstruction: Weight = 1.0,
    latent_adversary: Weight = 0.1,
    domain_adversary: Weight = 0.1,
    paired_search: Weight = 1.0,
    unpaired_search: Weight = 0.5,
    search: LossName = "triplet",
    start: str = "cca",
    space: Space = "auto",
    hubness: str = "csls",
    dim: Count = 256,
    hidden: Count = 256,
    dropout: Dropout = 0.1,
    epochs: Count = 10,
    rate: Rate = 1e-3,
    decay: Decay = 1e-2,
    batch: Count = 256,
    restarts: Count = 1,
) -> LatentSystem:
    """The cycle-consistency system: seven scenarios, each an objective with a weight, 0 switching it off.

    Sources: Zhu et al. 2017 (CycleGAN), arXiv:1703.10593; the scenarios are those of the system behind this project.
    """
    return LatentSystem(
        weights={
            "autoreconstruction": autoreconstruction,
            "cyclic": cyclic,
            "paired_reconstruction": paired_reconstruction,
            "latent_adversary": latent_adversary,
            "domain_adversary": domain_adversary,
            "paired_search": paired_search,
            "unpaired_search": unpaired_search,
        },
        search=search,
        start=start,
        space=space,
        hubness=hubness,
        dim=dim,
        hidden=hidden,
        dropout=dropout,
        epochs=epochs,
        rate=rate,
        decay=decay,
        batch=batch,
        restarts=restarts,
    )


def vec2vec(
    *,
    autoreconstruction: Weight = 1.0,
    cyclic: Weight = 1.0,
    preservation: Weight = 1.0,
    latent_adversary: Weight = 0.1,
    domain_adversary: Weight = 0.1,
    paired_reconstruction: Weight = 1.0,
    paired_search: Weight = 1.0,
    search: LossName = "triplet",
    start: str = "cca",
    space: Space = "auto",
    hubness: str = "csls",
    dim: Count = 256,
    hidden: Count = 256,
    dropout: Dropout = 0.1,
    epochs: Count = 10,
    rate: Rate = 1e-3,
    decay: Decay = 1e-2,
    batch: Count = 256,
    restarts: Count = 1,
) -> LatentSystem:
    """Translation that keeps who is near to whom, with cycles and adversaries; pairs keep it from any wrong match.

    Source: Jha et al. 2025, arXiv:2505.12540, section 4, whose own system has no pairs: set both weights of pairs to 0.
    """
    return LatentSystem(
        weights={
            "autoreconstruction": autoreconstruction,
            "cyclic": cyclic,
            "preservation": preservation,
            "latent_adversary": latent_adversary,
            "domain_adversary": domain_adversary,
            "paired_reconstruction": paired_reconstruction,
            "paired_search": paired_search,
        },
        search=search,
        start=start,
        space=space,
        hubness=hubness,
        dim=dim,
        hidden=hidden,
        dropout=dropout,
        epochs=epochs,
        rate=rate,
        decay=decay,
        batch=batch,
        restarts=restarts,
    )
