"""Objectives of a latent-space system, each a function of a `Pass` that gives one number; weighted and switched by name.

They belong to stages: what needs no pairs comes first, then pairs, then cycles and adversaries. A later stage keeps what the
earlier ones asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from torch import Tensor

from textanchor.aligners.latent.objectives.autoreconstruction import autoreconstruction
from textanchor.aligners.latent.objectives.cyclic import cyclic
from textanchor.aligners.latent.objectives.domain_adversary import domain_adversary
from textanchor.aligners.latent.objectives.gaussian import gaussian
from textanchor.aligners.latent.objectives.latent_adversary import latent_adversary
from textanchor.aligners.latent.objectives.paired_reconstruction import paired_reconstruction
from textanchor.aligners.latent.objectives.paired_search import paired_search
from textanchor.aligners.latent.objectives.preservation import preservation
from textanchor.aligners.latent.objectives.prior_adversary import prior_adversary
from textanchor.aligners.latent.objectives.unpaired_search import unpaired_search
from textanchor.aligners.latent.passing import Pass

Term = Callable[[Pass], Tensor]

STAGES: Mapping[str, Mapping[str, Term]] = {
    "alone": {
        "autoreconstruction": autoreconstruction,
        "gaussian": gaussian,
        "prior_adversary": prior_adversary,
    },
    "pairs": {
        "paired_reconstruction": paired_reconstruction,
        "paired_search": paired_search,
    },
    "cycles": {
        "cyclic": cyclic,
        "latent_adversary": latent_adversary,
        "domain_adversary": domain_adversary,
        "unpaired_search": unpaired_search,
        "preservation": preservation,
    },
}
