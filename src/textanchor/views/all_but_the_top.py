"""Taking out the mean and the directions that dominate."""

from __future__ import annotations

import numpy as np
from scipy.linalg import svd

from textanchor.errors import InputError
from textanchor.records import Affine, Vectors, View
from textanchor.settings import Count
from textanchor.views.centring import mean_text


def all_but_the_top(*, anchors: Vectors, items: Vectors, targets: Vectors, directions: Count = 3) -> View:
    """Subtract the mean of the distinct training texts and project off their `directions` strongest principal directions.

    Raises `InputError` where nothing would be left.
    Source: Mu and Viswanath 2018, arXiv:1702.01417, algorithm 1; about d / 100 directions are its advice.
    """
    mean = mean_text(anchors)
    _, strength, right = svd((anchors - mean).astype(np.float64), full_matrices=False)
    spanned = int((strength > strength[0] * 1e-6).sum())
    if directions >= spanned:
        raise InputError(
            f"all-but-the-top: directions={directions} of the {spanned} that {len(anchors)} texts span; nothing is left"
        )
    top = right[:directions]
    side = Affine(mean=mean, matrix=(np.eye(len(mean)) - top.T @ top).astype(np.float32))
    return View(item=side, text=side)
