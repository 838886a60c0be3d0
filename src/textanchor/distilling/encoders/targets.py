"""What a student of an encoder is to give for each item: its teacher's latents, or soft classes made of them."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from textanchor.errors import InputError
from textanchor.records import Vectors

Rows = Float[np.ndarray, "n k"]


def rotated(latents: Vectors, dims: int) -> Rows:
    """The principal directions of the most variance, at most `dims`, each of mean 0 and deviation 1.

    Directions below a millionth of the first one's variance are left out. Raises `InputError` for latents that are all alike.
    """
    centred = latents.astype(np.float64) - latents.mean(axis=0, dtype=np.float64)
    values, basis = np.linalg.eigh(centred.T @ centred / max(len(centred) - 1, 1))
    order = np.argsort(-values)[:dims]
    some = order[values[order] > 1e-6 * max(float(values[-1]), 1e-24)]
    if values[-1] <= 0 or not len(some):
        raise InputError("the teacher's latents are all alike, so that there is nothing to learn from them")
    found: Rows = (centred @ (basis[:, some] / np.sqrt(values[some]))).astype(np.float32)
    return found


def soft_classes(latents: Vectors, classes: Int[np.ndarray, " n"], temperature: float) -> Rows:
    """Probabilities of the classes for all items, by logistic regression on the latents of those that have one (-1: none).

    Logits are divided by the temperature. Raises `InputError` for labels of fewer than two classes.
    Source: Chen et al. 2020, arXiv:2006.10029, equation 2.
    """
    told = np.flatnonzero(classes >= 0)
    known = np.unique(classes[told])
    if len(known) < 2:
        raise InputError(
            f"by=classes: {len(known)} classes among {len(told)} labelled items; at least 2 are needed (or by=latents)"
        )
    made = make_pipeline(StandardScaler(), LogisticRegression(max_iter=2000, C=0.1)).fit(latents[told], classes[told])
    scores = made.decision_function(latents)
    logits = (np.stack([np.zeros_like(scores), scores], axis=1) if scores.ndim == 1 else scores) / temperature
    shares = np.exp(logits - logits.max(axis=1, keepdims=True))
    found: Rows = (shares / shares.sum(axis=1, keepdims=True)).astype(np.float32)
    return found
