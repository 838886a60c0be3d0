"""Taking the mean out."""

from __future__ import annotations

import numpy as np

from textanchor.records import Affine, Vectors, View


def centring(*, anchors: Vectors, items: Vectors, targets: Vectors) -> View:
    """Subtract the mean of the distinct training texts on both sides.

    It removes the direction that all texts share, which is most of a raw cosine.
    Source: Mu and Viswanath 2018, arXiv:1702.01417, section 2.1, without the projection of further directions.
    """
    side = Affine(mean=mean_text(anchors))
    return View(item=side, text=side)


def mean_text(anchors: Vectors) -> np.ndarray:
    """Mean of distinct texts. *Shape:* [t, d] -> [d]."""
    return anchors.mean(axis=0, dtype=np.float64).astype(np.float32)
