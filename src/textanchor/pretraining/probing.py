"""What a representation is worth: a linear classifier on it, from few labels or many, and how many directions it uses."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from sklearn.linear_model import LogisticRegression, RidgeClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from textanchor.metrics.rank import rank_me

LOOKED_AT = 2000  # items of an online look
PENALTIES = (0.01, 0.1, 1.0, 10.0)
FEW = 20  # labels below which no penalty is chosen


@dataclass(frozen=True, kw_only=True)
class Labelled:
    """Latents [n, d] and classes [n]."""

    latents: np.ndarray
    classes: np.ndarray


def online(train: Labelled, val: Labelled) -> float:
    """Accuracy on validation of a ridge classifier: quick, for looks during training."""
    some = np.random.default_rng(0).permutation(len(train.classes))[:LOOKED_AT]
    made = make_pipeline(StandardScaler(), RidgeClassifier(alpha=10.0))
    return float(made.fit(train.latents[some], train.classes[some]).score(val.latents, val.classes))


def rank(latents: np.ndarray) -> float:
    """RankMe of centred latents; some of them tell it."""
    some = latents[np.linspace(0, len(latents) - 1, min(len(latents), LOOKED_AT)).astype(int)]
    return rank_me(some - some.mean(axis=0))


def linear_probe(train: Labelled, test: np.ndarray, *, seed: int = 0) -> np.ndarray:
    """Classes of test latents [k] by logistic regression on standardised latents.

    The penalty is chosen by cross-validation on the training side, in as many folds as the rarest class has items, up to 5;
    it is 1 where that cannot be. The protocol of linear evaluation, such as in arXiv:2002.05709, appendix B.8.
    """
    from sklearn.model_selection import GridSearchCV, StratifiedKFold

    made = make_pipeline(StandardScaler(), LogisticRegression(max_iter=2000, C=1.0))
    rarest = int(np.unique(train.classes, return_counts=True)[1].min())
    if rarest >= 2 and len(train.classes) >= FEW:
        folds = StratifiedKFold(min(5, rarest), shuffle=True, random_state=seed)
        made = GridSearchCV(made, {"logisticregression__C": list(PENALTIES)}, cv=folds)
    found: np.ndarray = made.fit(train.latents, train.classes).predict(test)
    return found


def drawn(classes: np.ndarray, share: float, *, seed: int) -> np.ndarray:
    """Rows that keep their label: a share of each class at random, at least one."""
    rng, rows = np.random.default_rng(seed), []
    for one in np.unique(classes):
        own = rng.permutation(np.flatnonzero(classes == one))
        rows.append(own[: max(1, round(share * len(own)))])
    return np.sort(np.concatenate(rows))
