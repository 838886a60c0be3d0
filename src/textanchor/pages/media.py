"""What a browser can show or play of a decoded item, small and inside the page."""

from __future__ import annotations

import base64
import io
from typing import Any

import numpy as np
import soundfile
import soxr
from PIL import Image

from textanchor.records import Clip, Waveform

SIDE, SECONDS, RATE = 96, 10, 16_000


def shown(value: Any) -> tuple[str, str]:
    """`image` or `audio` with its data URI; `name` and nothing for what has neither picture nor sound.

    Of a clip its first frame, or its sound where it has none. Pictures are at most 96 pixels wide and high, sounds ten seconds.
    """
    if isinstance(value, Clip):
        value = value.frames[0] if value.frames else value.sound
    if isinstance(value, Image.Image):
        return "image", png(value)
    if isinstance(value, Waveform):
        return "audio", flac(value)
    return "name", ""


def png(image: Image.Image) -> str:
    """A small picture as a data URI."""
    small = image.copy()
    small.thumbnail((SIDE, SIDE))
    out = io.BytesIO()
    small.save(out, format="PNG", optimize=True)
    return _uri("image/png", out)


def flac(sound: Waveform) -> str:
    """The beginning of a sound as a data URI, at most 16 kHz."""
    samples = sound.samples[: SECONDS * sound.rate]
    rate = min(sound.rate, RATE)
    if rate != sound.rate:
        samples = soxr.resample(samples, sound.rate, rate)
    out = io.BytesIO()
    soundfile.write(out, np.clip(samples, -1, 1), rate, format="FLAC", subtype="PCM_16")
    return _uri("audio/flac", out)


def _uri(kind: str, out: io.BytesIO) -> str:
    return f"data:{kind};base64,{base64.b64encode(out.getvalue()).decode()}"
