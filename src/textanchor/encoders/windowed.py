"""Long sounds and series in windows, whose vectors are averaged or kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np

from textanchor.encoders import Encoder, Output, Spec, batch_size, encode_staged, staged
from textanchor.errors import InputError
from textanchor.files import digest
from textanchor.records import Series, Vectors, Waveform

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
        self.outputs = tuple(
            replace(
                out,
                ragged=keep or out.ragged,
                name=f"{out.name} window={seconds:g},hop={hop:g}".strip() + (",windows=keep" if keep else ""),
                fingerprint=digest("windowed", "1", out.fingerprint, f"{seconds} {hop} {keep}"),
            )
            for out in self._inner.outputs
        )
        self.dim, self.fingerprint = self.outputs[0].dim, self.outputs[0].fingerprint

    def prepare(self, value: Any) -> list[Any]:
        """The inner encoder's inputs of all windows."""
        pieces = cut(value, self._seconds, self._hop)
        return [self._inner.prepare(piece) for piece in pieces]

    def forward(self, inputs: Sequence[list[Any]]) -> list[Any]:
        """Windows of all items together, in batches, put together again an item."""
        flat = [piece for one in inputs for piece in one]
        parts = [self._inner.forward(flat[start : start + self.batch]) for start in range(0, len(flat), self.batch)]
        edges = np.concatenate([[0], np.cumsum([len(one) for one in inputs])])
        return [self._joined(place, out, [part[place] for part in parts], edges) for place, out in enumerate(self.outputs)]

    def encode(self, batch: Sequence[Any]) -> Vectors:
        """*Shape:* [n, dim]."""
        return encode_staged(self, batch)

    def _joined(self, place: int, out: Output, parts: list[Any], edges: np.ndarray) -> Any:
        rows = [row for part in parts for row in part]
        own = [rows[low:high] for low, high in pairwise(edges.tolist())]
        if self._inner.outputs[place].ragged:
            return [np.concatenate(held) for held in own]
        if self._keep:
            return [np.stack(held).astype(np.float16) for held in own]
        return np.stack([np.mean(held, axis=0, dtype=np.float64) for held in own]).astype(np.float32)


def cut(value: Any, seconds: float, hop: float) -> list[Any]:
    """Windows of a sound or series. Raises `ValueError` for anything else, or for a series of unknown rate."""
    if not isinstance(value, Waveform | Series):
        raise ValueError(f"only sounds and series have windows, not {type(value).__name__}")
    if value.rate is None:
        raise ValueError("windows in seconds need a rate: a `time` column, or (values, rate)")
    held = value.samples if isinstance(value, Waveform) else value.values
    length = max(1, round(seconds * value.rate))
    if len(held) <= length:
        return [value]
    count = int(np.ceil((len(held) - length) / max(1, round(hop * value.rate)))) + 1
    starts = np.linspace(0, len(held) - length, count).round().astype(int)
    pieces = [held[start : start + length] for start in starts]
    if isinstance(value, Waveform):
        return [Waveform(samples=piece, rate=value.rate) for piece in pieces]
    return [Series(values=piece, rate=value.rate) for piece in pieces]


def windowed(encoder: Encoder, spec: Spec) -> Encoder:
    """The encoder in windows, if its name asks for them or its model takes no more than `seconds` at once; else itself."""
    limit = getattr(encoder, "seconds", None)
    seconds, hop = spec.seconds("window"), spec.seconds("hop")
    keep = spec.option("windows", "mean", among=("mean", "keep")) == "keep"
    if seconds is None and limit is None:
        if hop is not None or keep:
            raise InputError("encoder options hop and windows need window=<seconds>")
        return encoder
    if encoder.modality == "image" or encoder.modality in ("text", "document"):
        raise InputError(f"encoder option window: {encoder.modality} items have no length in seconds")
    if seconds is not None and limit is not None and seconds > limit:
        raise InputError(f"encoder option window={seconds:g}: this model takes {limit:g} s at most")
    length = float(seconds or limit or 0)
    return Windowed(encoder, seconds=length, hop=hop or length, keep=keep)
