"""Sounds as pictures: a mel spectrogram through any image encoder, as the original system did with ResNet18."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from PIL import Image

from textanchor.encoders._sound import log_mel
from textanchor.encoders.making import make as make_encoder
from textanchor.encoders.protocol import Encoder, batch_size, derived, encode_staged, staged
from textanchor.errors import InputError
from textanchor.files import digest
from textanchor.records import Vectors, Waveform
from textanchor.runtime import Runtime

BANDS = 128
RANGE = 8 * np.log(10)  # 80 dB below the loudest point is black


class Spectrogram:
    """Log-mel energies of 128 bands as a grey image, low frequencies at the bottom, loudest point white."""

    modality = "audio"

    def __init__(self, inner: Encoder) -> None:
        self._inner = staged(inner)
        self.batch, self.name = batch_size(inner), f"spectrogram+{getattr(inner, 'name', 'encoder')}"
        self.outputs = tuple(derived(output, _fingerprint) for output in self._inner.outputs)
        first = self.outputs[0]
        self.dim, self.fingerprint, self.formerly = first.dim, first.fingerprint, first.formerly

    def encode(self, batch: Sequence[Waveform]) -> Vectors:
        """*Shape:* [n, dim]."""
        return encode_staged(self, batch)

    def prepare(self, value: Waveform) -> Any:
        """The image encoder's input."""
        return self._inner.prepare(picture(value))

    def forward(self, inputs: Sequence[Any]) -> list[Any]:
        """What the image encoder gives."""
        return self._inner.forward(inputs)


def _fingerprint(inner: str) -> str:
    return digest("spectrogram", "1", inner)


def picture(sound: Waveform) -> Image.Image:
    """The spectrogram as an RGB image, one column a frame."""
    mel = log_mel(sound, BANDS)
    level = np.clip((mel - mel.max()) / RANGE + 1, 0, 1)
    return Image.fromarray((level.T[::-1] * 255).astype(np.uint8)).convert("RGB")


def make(argument: str, *, modality: str, runtime: Runtime, inner: str) -> Spectrogram:
    """`spectrogram+<image encoder>`."""
    if not inner:
        raise InputError("spectrogram needs an image encoder, such as spectrogram+signal or spectrogram+hub:<model>")
    return Spectrogram(make_encoder(inner, "image", runtime))
