"""Sums over training pairs, a block of items at a time: no copy of all latents is ever made."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Float64

from textanchor.records import PairedLatents

BLOCK = 4096

Blocks = Iterator[tuple[Float64[np.ndarray, "b d"], Float64[np.ndarray, "b k"], Float32[np.ndarray, "b 1"]]]


@dataclass(frozen=True, kw_only=True)
class Means:
    """Mean latent and mean text of some pairs, each item counting as much as the pairs say."""

    item: Float64[np.ndarray, " d"]
    text: Float64[np.ndarray, " k"]


def means(pairs: PairedLatents) -> Means:
    """Means in double precision."""
    text, mass = np.zeros(pairs.anchors.shape[1]), pairs.mass
    item = np.zeros(pairs.pooled.shape[1])
    for rows in _blocks(len(pairs.items)):
        text += (pairs.texts_of(rows) * mass[rows, None]).sum(axis=0, dtype=np.float64)
        item += (pairs.pooled[rows] * mass[rows, None]).sum(axis=0, dtype=np.float64)
    total = max(float(mass.sum(dtype=np.float64)), 1e-12)
    return Means(item=item / total, text=text / total)


def centred(pairs: PairedLatents, mean: Means) -> Blocks:
    """Latents and their mean texts without the means, and how much each counts, block by block.

    *Shape:* [b, d], [b, k], [b, 1].
    """
    mass = pairs.mass
    for rows in _blocks(len(pairs.items)):
        yield pairs.pooled[rows] - mean.item, pairs.texts_of(rows) - mean.text, mass[rows, None]


def covariances(pairs: PairedLatents, mean: Means) -> tuple[Float64[np.ndarray, "d d"], Float64[np.ndarray, "d k"]]:
    """Sums of products of latents with themselves and with their texts, both centred, each item as often as it counts."""
    gram = np.zeros((len(mean.item), len(mean.item)))
    cross = np.zeros((len(mean.item), len(mean.text)))
    for x, y, mass in centred(pairs, mean):
        counted = (x * mass).T
        gram += counted @ x
        cross += counted @ y
    return gram, cross


def _blocks(count: int) -> Iterator[slice]:
    return (slice(start, min(start + BLOCK, count)) for start in range(0, count, BLOCK))
