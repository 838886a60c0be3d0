"""Sound features that need no weights."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from textanchor.encoders._sound import log_mel
from textanchor.encoders.protocol import Output, encode_staged
from textanchor.files import digest
from textanchor.records import Vectors, Waveform
from textanchor.runtime import Runtime

BANDS, FRAMES = 40, 16


class SignalAudio:
    """Log-mel energies, 40 bands, resampled over time to 16 frames: a sound's coarse spectrogram at any length.

    Samples are scaled to a root mean square of 1 and the mean level is taken out, so loudness does not count.
    Source: mel filter banks as in Davis and Mermelstein 1980, doi:10.1109/TASSP.1980.1163420 (before the cosine transform).
    """

    modality = "audio"
    name = "signal"
    dim = BANDS * FRAMES
    fingerprint = digest("signal-audio", "2", f"{BANDS} {FRAMES}")

    outputs = (Output(name="", dim=dim, fingerprint=fingerprint),)

    def encode(self, batch: Sequence[Waveform]) -> Vectors:
        """*Shape:* [n, 640], time-major."""
        return encode_staged(self, batch)

    def prepare(self, value: Waveform) -> np.ndarray:
        """The features of one item."""
        return _features(value)

    def forward(self, inputs: Sequence[np.ndarray]) -> list[Vectors]:
        """Stacked."""
        return [np.stack(inputs)]


def _features(sound: Waveform) -> np.ndarray:
    level = max(float(np.sqrt(np.mean(sound.samples**2))), 1e-8)
    mel = log_mel(Waveform(samples=sound.samples / level, rate=sound.rate), BANDS)
    place = np.linspace(0, len(mel) - 1, FRAMES)
    low = np.floor(place).astype(int)
    share = (place - low)[:, None].astype(np.float32)
    frames = mel[low] * (1 - share) + mel[np.minimum(low + 1, len(mel) - 1)] * share
    return np.asarray((frames - frames.mean()).ravel(), dtype=np.float32)


def make(argument: str, *, modality: str, runtime: Runtime) -> SignalAudio:
    """`signal`."""
    return SignalAudio()
