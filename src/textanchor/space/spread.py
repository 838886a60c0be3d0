"""The scale of scores between two modalities, taken from training vectors that the views keep."""

from __future__ import annotations

import numpy as np

from textanchor.records import Vectors
from textanchor.space import Space
from textanchor.space.items import TEXT

ROWS = 500  # training vectors of either side


def spread(space: Space, modality: str, other: str) -> tuple[float, float] | None:
    """Mean and standard deviation of the scores of training vectors of one modality that ask those of another, at random.

    By them scores from galleries of different modalities are brought to one scale. None where a view keeps no bank.
    """
    asking, asked = _bank(space, modality, other), _bank(space, other, modality)
    if asking is None or asked is None:
        return None
    scores = space.query(asking, modality, other) @ space.gallery(asked, other, modality).T
    apart = scores[np.eye(*scores.shape) == 0] if modality == other else scores
    return (float(apart.mean()), max(float(apart.std()), 1e-6)) if apart.size > 1 else None


def _bank(space: Space, modality: str, other: str) -> Vectors | None:
    """Training texts are kept by the view of the modality that they are compared with, or by any for texts among themselves."""
    of = modality if modality != TEXT else other if other != TEXT else next(iter(space.modalities), TEXT)
    view = space.view(of)
    if view is None or view.hubness is None:
        return None
    return (view.hubness.texts if modality == TEXT else view.hubness.items)[:ROWS]
