"""From latents to features that distances mean something in: principal components, half-whitened."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float32

from textanchor.labelling.pool import Features

MOST = 256  # components; of the shared encoders' latents more add nothing
FITTED = 20_000  # items whose covariance is taken


def half_whitened(
    name: str, latents: Float32[np.ndarray, "n d"], present: Bool[np.ndarray, " n"] | None = None, *, most: int = MOST
) -> Features:
    """Components of all items' latents, divided by the root of their own deviation; lengths are 1 on average.

    Between raw latents, which a few directions rule, and whitened ones, which noise rules: the components of a covariance
    U S^2 U' are x U S^(-1/2).
    """
    there = np.ones(len(latents), dtype=bool) if present is None else present
    known = latents[there].astype(np.float32)
    sample = known[np.random.default_rng(0).permutation(len(known))[:FITTED]] if len(known) > FITTED else known
    mean = sample.mean(axis=0)
    spread, directions = np.linalg.eigh(np.cov((sample - mean).T.astype(np.float64)))
    order = np.argsort(spread)[::-1][: min(most, len(sample) - 1)]
    order = order[spread[order] > 1e-9 * spread.max()]
    found = (known - mean) @ (directions[:, order] * spread[order] ** -0.25).astype(np.float32)
    values = np.zeros((len(latents), len(order)), dtype=np.float32)
    values[there] = found / np.sqrt((found**2).sum(axis=1).mean())
    return Features(name=name, values=values, present=there)
