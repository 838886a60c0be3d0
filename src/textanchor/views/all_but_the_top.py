"""Taking out the mean and the directions that dominate."""

from __future__ import annotations

import numpy as np
from scipy.linalg import svd

from textanchor.errors import InputError
from textanchor.records import Affine, Vectors, View
from textanchor.views.centring import mean_text


def all_but_the_top(*, anchors: Vectors, items: Vectors, targets: Vectors, directions: int = 3) -> View:
    """Subtract the mean of the distinct training texts and project off their `directions` strongest principal directions.

    Source: Mu and Viswanath 2018, arXiv:1702.01417, algorithm 1; about d / 100 directions are its advice.
    """
    if directions < 0:
        raise InputError(f"all-but-the-top: directions={directions}; expected 0 or more")
    mean = mean_text(anchors)
    _, _, right = svd((anchors - mean).astype(np.float64), full_matrices=False)
    top = right[:directions]
    side = Affine(mean=mean, matrix=(np.eye(len(mean)) - top.T @ top).astype(np.float32))
    return View(item=side, text=side)
