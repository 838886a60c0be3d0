"""Taking the mean out."""

from __future__ import annotations

import numpy as np

from textanchor.records import Affine, Vectors, View


def centring(anchors: Vectors) -> View:
    """Subtract the mean of the distinct training texts on both sides.

    It removes the direction that all texts share, which is most of a raw cosine.
    Source: Mu and Viswanath 2018, arXiv:1702.01417, section 2.1, without the projection of further directions.
    """
    mean = anchors.mean(axis=0, dtype=np.float64).astype(np.float32)
    return View(item=Affine(mean=mean), text=Affine(mean=mean))
