"""Canonical directions: of the anchor's space keep what the items can tell, each direction by how well they tell it."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float64
from scipy.linalg import eigh

from textanchor.records import Affine, Vectors, View
from textanchor.settings import Count, Power, Shrinkage
from textanchor.views.whitening import whitener


def canonical(
    *,
    anchors: Vectors,
    items: Vectors,
    targets: Vectors,
    shrinkage: Shrinkage = 0.1,
    power: Power = 1.0,
    dim: Count | None = None,
) -> View:
    """Whiten the texts, turn them to the directions in which predicted and true texts covary most, and weight those.

    After ridge regression this is regularised canonical correlation analysis: with W the whitening of the texts and Y' the
    predictions, the eigenvectors of (Y' W)' (Y W) / n are the texts' canonical directions and the eigenvalues the squared
    canonical correlations c^2; predicted items come out weighted by c, texts are weighted by c^power. After kernel ridge
    regression it is kernel CCA. `dim` keeps that many directions, None all of them.
    Sources: Hotelling 1936; Vinod 1976, doi:10.1016/0304-4076(76)90010-5 (ridge); reduced-rank regression, Izenman 1975,
    doi:10.1016/0047-259X(75)90042-1; weights: Gong et al. 2014, arXiv:1212.4522, section 3.3.
    """
    raw = ((items - items.mean(axis=0)).T @ (targets - targets.mean(axis=0))).astype(np.float64) / len(items)
    return canonical_of(anchors, raw, shrinkage=shrinkage, power=power, dim=dim)


def canonical_of(
    anchors: Vectors,
    covariance: Float64[np.ndarray, "k k"],
    *,
    shrinkage: float = 0.1,
    power: float = 1.0,
    dim: int | None = None,
) -> View:
    """`canonical` from the covariance of predicted with true texts, for who has sums and no items."""
    mean, white = whitener(anchors, shrinkage)
    cross = white @ covariance @ white
    values, basis = eigh((cross + cross.T) / 2, driver="evd")
    kept = np.argsort(-values)[:dim]
    turned = white @ basis[:, kept]
    weight = np.maximum(values[kept], 0) ** (power / 2)
    return View(
        item=Affine(mean=mean, matrix=turned.astype(np.float32)),
        text=Affine(mean=mean, matrix=(turned * weight).astype(np.float32)),
    )
