"""Features of numbers over time that need no weights."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, TypeAlias

import numpy as np
from jaxtyping import Float32

from textanchor.encoders.protocol import Output, encode_staged
from textanchor.files import digest
from textanchor.records import Series, Vectors
from textanchor.runtime import Runtime
from textanchor.settings import Count, Rule

CHANNELS, SHAPE, BANDS, FACTS = 8, 24, 16, 8
Channels: TypeAlias = Annotated[int, Rule(meaning="1 to 1024 channels", holds=lambda value: 1 <= value <= 1024)]


class SignalSeries:
    """Course, statistics and spectrum of each channel, and how channels go together; at any length.

    Per channel: 24 points of its course; mean, spread, extremes, quartiles and mean step; log energies of 16 equal bands
    between 0 and half the rate; and then the correlations of all pairs of channels. Levels pass through asinh, so that units
    count less.
    With `rate`, series of known rate are first brought to it, so that the bands mean the same frequencies.
    """

    modality = "series"
    name = "signal"

    def __init__(self, *, channels: int, rate: int | None) -> None:
        self._channels, self._rate = channels, rate
        self.dim = channels * (SHAPE + FACTS + BANDS) + channels * (channels - 1) // 2
        self.fingerprint = digest("signal-series", "1", f"{channels} {rate} {SHAPE} {BANDS}")
        self.outputs = (Output(name="", dim=self.dim, fingerprint=self.fingerprint),)

    def encode(self, batch: Sequence[Series]) -> Vectors:
        """*Shape:* [n, dim]."""
        return encode_staged(self, batch)

    def prepare(self, value: Series) -> np.ndarray:
        """The features of one series. Raises `ValueError` for more channels than the encoder has."""
        given = value.values.shape[1]
        if given > self._channels:
            raise ValueError(f"{given} channels, more than the encoder's {self._channels}; use signal@channels={given}")
        values = value.values
        if self._rate and value.rate:
            values = stretched(values, max(2, round(len(values) * self._rate / value.rate)))
        values = np.pad(values, ((0, 0), (0, self._channels - given)))
        facts = np.concatenate([np.arcsinh(stretched(values, SHAPE)), np.arcsinh(_facts(values)), _spectrum(values)])
        return np.concatenate([facts.T.ravel(), _correlations(values)]).astype(np.float32)

    def forward(self, inputs: Sequence[np.ndarray]) -> list[Vectors]:
        """Stacked."""
        return [np.stack(inputs)]


def stretched(values: np.ndarray, length: int) -> Float32[np.ndarray, "length c"]:
    """Values at another number of even moments: averaged where there are more, interpolated where there are fewer."""
    count = len(values)
    if count > length:
        sums = np.concatenate([np.zeros((1, values.shape[1])), np.cumsum(values, axis=0, dtype=np.float64)])
        edges = np.linspace(0, count, length + 1)
        low = np.minimum(np.floor(edges).astype(int), count - 1)
        at = sums[low] + (edges - low)[:, None] * values[low]
        return np.asarray(np.diff(at, axis=0) * length / count, dtype=np.float32)
    place = np.linspace(0, count - 1, length)
    return np.stack([np.interp(place, np.arange(count), column) for column in values.T], axis=1).astype(np.float32)


def _facts(values: np.ndarray) -> np.ndarray:
    step = np.abs(np.diff(values, axis=0)).mean(0) if len(values) > 1 else np.zeros(values.shape[1])
    quarters = np.quantile(values, (0.25, 0.5, 0.75), axis=0)
    return np.stack([values.mean(0), values.std(0), values.min(0), values.max(0), *quarters, step])


def _spectrum(values: np.ndarray) -> np.ndarray:
    power = np.abs(np.fft.rfft(values - values.mean(0), axis=0)) ** 2 / len(values)
    return np.log1p(np.maximum(stretched(power, BANDS), 0))


def _correlations(values: np.ndarray) -> np.ndarray:
    moved = values - values.mean(0)
    size = np.maximum(np.linalg.norm(moved, axis=0), 1e-6)
    return np.asarray((moved.T @ moved / np.outer(size, size))[np.triu_indices(values.shape[1], 1)])


def make(
    argument: str, *, modality: str, runtime: Runtime, channels: Channels = CHANNELS, rate: Count | None = None
) -> SignalSeries:
    """`signal[@channels=8,rate=50]`; `rate` in Hz."""
    return SignalSeries(channels=channels, rate=rate)
