"""Giving every direction of the anchor the same weight."""

from __future__ import annotations

from hashlib import sha256
from threading import Lock

import numpy as np
from jaxtyping import Float64
from scipy.linalg import eigh, svd

from textanchor.records import Affine, Vectors, View
from textanchor.settings import Shrinkage
from textanchor.views.centring import mean_text

REMEMBERED = 4
_remembered: dict[tuple[str, tuple[int, ...], float], tuple[np.ndarray, np.ndarray]] = {}
_guard = Lock()


def whitening(*, anchors: Vectors, items: Vectors, targets: Vectors, shrinkage: Shrinkage = 0.3) -> View:
    """Map both sides by C^(-1/2), C the covariance of the distinct training texts drawn towards a multiple of the identity.

    `shrinkage` is what is added to the diagonal, in units of the mean variance: few texts span few directions, and the others
    must not be blown up. It knows no modality: with the same texts it is the same map for all.
    Sources: Su et al. 2021, arXiv:2103.15316, equation 5; ZCA: Kessy et al. 2018, doi:10.1080/00031305.2016.1277159.
    """
    mean, map_ = whitener(anchors, shrinkage)
    side = Affine(mean=mean, matrix=map_.astype(np.float32))
    return View(item=side, text=side)


def whitener(anchors: Vectors, shrinkage: float) -> tuple[np.ndarray, Float64[np.ndarray, "d d"]]:
    """Mean text, and (C + shrinkage times the mean variance)^(-1/2). *Shape:* [d], [d, d].

    The last few are remembered by what the texts' vectors are: choosing a view and its correction asks for one again and again.
    """
    key = sha256(np.ascontiguousarray(anchors).data).hexdigest(), anchors.shape, shrinkage
    with _guard:
        known = _remembered.get(key)
    if known is None:
        known = _worked_out(anchors, shrinkage)
        with _guard:
            _remembered[key] = known
            while len(_remembered) > REMEMBERED:
                del _remembered[next(iter(_remembered))]
    return known[0].copy(), known[1].copy()


def _worked_out(anchors: Vectors, shrinkage: float) -> tuple[np.ndarray, Float64[np.ndarray, "d d"]]:
    mean = mean_text(anchors)
    rows = anchors - mean
    if len(rows) < rows.shape[1]:  # fewer texts than dimensions: the rest of the space is scaled as a whole
        _, singular, right = svd(rows.astype(np.float64), full_matrices=False)
        values, basis = singular**2 / len(rows), right.T
    else:
        values, basis = eigh((rows.T @ rows).astype(np.float64) / len(rows), driver="evd")
    unit = max(float(values.sum()) / rows.shape[1], 1e-12)
    floor = max(shrinkage, 1e-6) * unit
    rest, scale = 1 / np.sqrt(floor), 1 / np.sqrt(np.maximum(values, 0) + floor)
    return mean, (basis * (scale - rest)) @ basis.T + rest * np.eye(rows.shape[1])
