"""Pictures as squares of pixels."""

from __future__ import annotations

from typing import Literal

import numpy as np
from jaxtyping import UInt8
from PIL import Image

from textanchor.settings import Count


class Pixels:
    """The middle square of a picture, brought to `side` x `side` bytes; one channel is its luminance."""

    name, modality, seconds = "pixels", "image", None

    def __init__(self, *, side: Count = 64, channels: Literal[1, 3] = 3) -> None:
        self.settings = {"side": side, "channels": channels}
        self.shape = (int(channels), side, side)

    def __call__(self, value: Image.Image) -> UInt8[np.ndarray, "c h w"]:
        """*Shape:* [channels, side, side]."""
        channels, side, _ = self.shape
        short = min(value.size)
        left, top = (value.width - short) // 2, (value.height - short) // 2
        square = value.convert("L" if channels == 1 else "RGB").resize(
            (side, side), Image.Resampling.BICUBIC, box=(left, top, left + short, top + short), reducing_gap=3.0
        )
        pixels = np.asarray(square, dtype=np.uint8)
        return pixels[None] if channels == 1 else np.ascontiguousarray(np.moveaxis(pixels, -1, 0))
