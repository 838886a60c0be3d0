"""Sums over pairs, from which ridge regression follows: what is added later is fitted together with what is gone."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import numpy as np
from jaxtyping import Float64

from textanchor.aligners.moments import Means, covariances, means
from textanchor.records import PairedLatents


@dataclass(frozen=True, kw_only=True)
class Sums:
    """Sums over items: their number, latents, mean texts, and products of latents with themselves and with their texts.

    Ridge regression and regularised CCA depend on pairs through these alone, so that sums of two sets are the sums of both.
    """

    count: Float64[np.ndarray, ""]
    item: Float64[np.ndarray, " d"]
    text: Float64[np.ndarray, " k"]
    gram: Float64[np.ndarray, "d d"]
    cross: Float64[np.ndarray, "d k"]

    @classmethod
    def of(cls, pairs: PairedLatents) -> Sums:
        """Of pairs of one vector an item, each item counting once."""
        plain = replace(pairs, counts=None)
        mean, count = means(plain), len(plain.items)
        nothing = Means(item=np.zeros_like(mean.item), text=np.zeros_like(mean.text))
        gram, cross = covariances(plain, nothing)
        return cls(count=np.asarray(float(count)), item=mean.item * count, text=mean.text * count, gram=gram, cross=cross)

    def plus(self, other: Sums, times: float = 1.0) -> Sums:
        """These and `times` the others."""
        return Sums(
            **{one.name: np.asarray(getattr(self, one.name) + times * getattr(other, one.name)) for one in fields(self)}
        )

    def centred(self) -> tuple[Means, Float64[np.ndarray, "d d"], Float64[np.ndarray, "d k"]]:
        """Mean latent and mean text, and both products about them."""
        item, text = self.item / self.count, self.text / self.count
        gram = self.gram - self.count * np.outer(item, item)
        return Means(item=item, text=text), gram, self.cross - self.count * np.outer(item, text)
