"""Logistic regression on the labelled items."""

from __future__ import annotations

import warnings

import numpy as np

from textanchor.labelling.pool import Features, Labelled, Pool, Probabilities
from textanchor.labelling.proposers.sights import over_sights
from textanchor.settings import Positive


class Logistic:
    """scikit-learn's logistic regression with its standard settings, on features whose deviations are 1 on average.

    Of classes without a label it knows nothing. `penalty` is 1 / C.
    """

    name = "logistic"

    def __init__(self, *, penalty: Positive = 1.0, smoothed: bool = True) -> None:
        self._penalty, self._smoothed = penalty, smoothed

    def propose(self, pool: Pool, labelled: Labelled, *, seed: int = 0) -> Probabilities:
        """Probabilities of the classes that have labels, 0 of others; without any label all are alike."""
        return over_sights(pool, labelled, self._asked)

    def _asked(self, sight: Features, pool: Pool, labelled: Labelled) -> Probabilities:
        from sklearn.linear_model import LogisticRegression  # seconds that other proposers need not pay

        values = sight.smoothed if self._smoothed else sight.values
        found = np.zeros((len(values), len(pool.classes)), dtype=np.float32)
        known = np.unique(labelled.classes)
        if len(known) < 2:
            found[:, known if len(known) else slice(None)] = 1
            return found / found.sum(axis=1, keepdims=True)
        scaled = values * np.float32(np.sqrt(values.shape[1]))
        model = LogisticRegression(C=1 / self._penalty, max_iter=200, tol=1e-3)
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "The number of unique classes", UserWarning)  # many classes are no regression
            model.fit(scaled[labelled.rows], labelled.classes)
        found[:, known] = model.predict_proba(scaled)
        return found
