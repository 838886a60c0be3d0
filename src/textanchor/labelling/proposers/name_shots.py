"""Names as further labels beside few real ones."""

from __future__ import annotations

import numpy as np

from textanchor.labelling.pool import Features, Labelled, Pool, Probabilities
from textanchor.labelling.proposers.class_means import Prior, shots
from textanchor.labelling.proposers.likelihoods import NEVER, even, proportional
from textanchor.labelling.proposers.sights import over_sights
from textanchor.settings import Amount, Positive, Share
from textanchor.views import unit


class NameShots:
    """The nearest class mean, of labelled items and of what names point at; items without a label move nothing.

    What `em` begins with; its settings mean the same there.
    """

    name = "name-shots"

    def __init__(
        self,
        *,
        concentration: Positive = 10.0,
        names: Share = 0.5,
        noise: Positive = 1.0,
        shot: Amount = 1.0,
        smoothed: bool = True,
    ) -> None:
        self._concentration, self._names, self._noise, self._shot = concentration, names, noise, shot
        self._smoothed = smoothed

    def propose(self, pool: Pool, labelled: Labelled, *, seed: int = 0) -> Probabilities:
        """Probabilities of all classes that have a label or a name; without either all are alike."""
        return over_sights(pool, labelled, self._asked)

    def _asked(self, sight: Features, pool: Pool, labelled: Labelled) -> Probabilities:
        values = sight.smoothed if self._smoothed else sight.values
        directions, prior = unit(values), Prior.of(pool, self._names, self._noise)
        known = shots(directions, pool, labelled, self._shot)
        told = prior.told(known)
        if not told.any():
            return even(len(values), len(pool.classes))
        return proportional(self._concentration * directions @ prior.means(known).T + np.where(told, 0, NEVER))
