"""Long sounds and series in windows, whose vectors are averaged or kept."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from textanchor.encoders.protocol import Encoder, Output, batch_size, derived, encode_staged, staged
from textanchor.errors import InputError
from textanchor.files import digest
from textanchor.records import Head, Series, Vectors, Waveform
from textanchor.settings import Seconds

if TYPE_CHECKING:
    from textanchor.encoders.networks import Network

WINDOWS = ("window", "hop", "windows")


class Windowed:
    """An encoder of one window at a time; an item's latent is the mean over its windows or, if they are kept, all of them.

    Windows are of equal length and evenly spaced, the first at the beginning and the last at the end; what is shorter than a
    window is taken as it is.
    """

    def __init__(self, inner: Encoder, *, seconds: float, hop: float, keep: bool) -> None:
        self._inner, self._seconds, self._hop, self._keep = staged(inner), seconds, hop, keep
        self.modality, self.name = inner.modality, str(getattr(inner, "name", ""))
        self.batch = batch_size(inner)
        self.outputs = tuple(self._in_windows(output) for output in self._inner.outputs)
        first = self.outputs[0]
        self.dim, self.fingerprint, self.formerly = first.dim, first.fingerprint, first.formerly

    @property
    def head(self) -> Head | None:
        """The inner encoder's, whose scores of an item are the mean of its windows'."""
        return None if self._keep else getattr(self._inner, "head", None)

    @property
    def network(self) -> Network | None:
        """The inner encoder's, which is of one window, for exports."""
        return None if self._keep else getattr(self._inner, "network", None)

    def prepare(self, value: Any) -> list[Any]:
        """The inner encoder's inputs of all windows."""
        pieces = cut(value, self._seconds, self._hop)
        return [self._inner.prepare(piece) for piece in pieces]

    def forward(self, inputs: Sequence[list[Any]]) -> list[Any]:
        """Windows of all items together, in batches, put together again an item."""
        windows = [window for item in inputs for window in item]
        batches = [windows[start : start + self.batch] for start in range(0, len(windows), self.batch)]
        passes = [self._inner.forward(batch) for batch in batches]
        edges = np.concatenate([[0], np.cumsum([len(item) for item in inputs])])
        return [self._joined(place, [latents[place] for latents in passes], edges) for place in range(len(self.outputs))]

    def encode(self, batch: Sequence[Any]) -> Vectors:
        """*Shape:* [n, dim]."""
        return encode_staged(self, batch)

    def _in_windows(self, output: Output) -> Output:
        how = f"{self._seconds} {self._hop} {self._keep}"
        name = f"{output.name} window={self._seconds:g},hop={self._hop:g}".strip() + (",windows=keep" if self._keep else "")
        return derived(output, lambda inner: digest("windowed", "1", inner, how), name=name, ragged=self._keep or output.ragged)

    def _joined(self, place: int, batches: list[Any], edges: np.ndarray) -> Any:
        """One output of all items, from that of their windows; item i has the windows from `edges[i]` to `edges[i + 1]`."""
        rows = [row for batch in batches for row in batch]
        items = [rows[low:high] for low, high in pairwise(edges.tolist())]
        if self._inner.outputs[place].ragged:
            return [np.concatenate(windows) for windows in items]
        if self._keep:
            return [np.stack(windows).astype(np.float16) for windows in items]
        return np.stack([np.mean(windows, axis=0, dtype=np.float64) for windows in items]).astype(np.float32)


def cut(value: Any, seconds: float, hop: float) -> list[Any]:
    """Windows of a sound or series. Raises `ValueError` for anything else, or for a series of unknown rate."""
    if not isinstance(value, Waveform | Series):
        raise ValueError(f"only sounds and series have windows, not {type(value).__name__}")
    if value.rate is None:
        raise ValueError("windows in seconds need a rate: a `time` column, or (values, rate)")
    numbers = value.samples if isinstance(value, Waveform) else value.values
    length = max(1, round(seconds * value.rate))
    if len(numbers) <= length:
        return [value]
    count = int(np.ceil((len(numbers) - length) / max(1, round(hop * value.rate)))) + 1
    starts = np.linspace(0, len(numbers) - length, count).round().astype(int)
    pieces = [numbers[start : start + length] for start in starts]
    if isinstance(value, Waveform):
        return [Waveform(samples=piece, rate=value.rate) for piece in pieces]
    return [Series(values=piece, rate=value.rate) for piece in pieces]


def windowed(
    encoder: Encoder, *, window: Seconds | None = None, hop: Seconds | None = None, windows: Literal["mean", "keep"] = "mean"
) -> Encoder:
    """The encoder in windows, if its name asks for them or its model takes no more than `seconds` at once; else itself."""
    limit = getattr(encoder, "seconds", None)
    keep = windows == "keep"
    if window is None and limit is None:
        if hop is not None or keep:
            raise InputError("encoder options hop and windows need window=<seconds>")
        return encoder
    if encoder.modality in ("image", "text", "document"):
        raise InputError(f"encoder option window: {encoder.modality} items have no length in seconds")
    if window is not None and limit is not None and window > limit:
        raise InputError(f"encoder option window={window:g}: this model takes {limit:g} s at most")
    length = float(window or limit or 0)
    return Windowed(encoder, seconds=length, hop=hop or length, keep=keep)
