"""Sums over training pairs, a block of items at a time: no copy of all latents is ever made."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from textanchor.records import PairedLatents

BLOCK = 4096

Blocks = Iterator[tuple[Float64[np.ndarray, "b d"], Float64[np.ndarray, "b k"]]]


@dataclass(frozen=True, kw_only=True)
class Means:
    """Mean latent and mean text of some pairs, each item counting once."""

    item: Float64[np.ndarray, " d"]
    text: Float64[np.ndarray, " k"]


def means(pairs: PairedLatents) -> Means:
    """Means in double precision."""
    text = np.zeros(pairs.anchors.shape[1])
    for rows in _blocks(len(pairs.items)):
        text += pairs.texts_of(rows).sum(axis=0, dtype=np.float64)
    return Means(item=pairs.pooled.mean(axis=0, dtype=np.float64), text=text / max(len(pairs.items), 1))


def centred(pairs: PairedLatents, mean: Means) -> Blocks:
    """Latents and their mean texts without the means, block by block. *Shape:* [b, d], [b, k]."""
    for rows in _blocks(len(pairs.items)):
        yield pairs.pooled[rows] - mean.item, pairs.texts_of(rows) - mean.text


def covariances(pairs: PairedLatents, mean: Means) -> tuple[Float64[np.ndarray, "d d"], Float64[np.ndarray, "d k"]]:
    """Sums of products of latents with themselves and with their texts, both centred."""
    gram = np.zeros((len(mean.item), len(mean.item)))
    cross = np.zeros((len(mean.item), len(mean.text)))
    for x, y in centred(pairs, mean):
        gram += x.T @ x
        cross += x.T @ y
    return gram, cross


def _blocks(count: int) -> Iterator[slice]:
    return (slice(start, min(start + BLOCK, count)) for start in range(0, count, BLOCK))
