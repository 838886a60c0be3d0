"""What a browser can show or play of an item, small and inside the page."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import soundfile
import soxr
from jaxtyping import Float32
from PIL import Image, ImageDraw

from textanchor.data.decoding import decode
from textanchor.errors import ItemError
from textanchor.records import Clip, Item, Series, Waveform
from textanchor.runtime import Limits

SIDE, SECONDS, RATE = 160, 10, 16_000
PLOT = (SIDE, 56)
CURVES = ("#3f7fd0", "#d0803f", "#4f9f6a", "#9a6fc0")  # channels, readable on white and on black
LETTERS = 300
BUDGET = 8 << 20  # letters of media in one page


@dataclass(frozen=True, kw_only=True)
class Media:
    """A picture and a sound as data URIs, and words; what there is not is empty."""

    picture: str = ""
    sound: str = ""
    words: str = ""


class Album:
    """The media of one page, each item decoded once. When `budget` letters are spent, further items have none.

    `settle` may say where an item's file truly lies, or raise `ItemError` for one that is not to be shown.
    """

    def __init__(self, limits: Limits, *, budget: int = BUDGET, settle: Callable[[Item], Item] | None = None) -> None:
        self._limits, self._left, self._settle = limits, budget, settle
        self._held: dict[str, Media] = {}
        self.missing = 0
        """How many times an item was left without media for want of room."""

    def of(self, item: Item) -> Media:
        """What can be shown of an item; nothing of one that cannot be decoded any more."""
        if item.id not in self._held:
            self._held[item.id] = shown(self._decoded(item))
        media = self._held[item.id]
        return media if self._room(len(media.picture) + len(media.sound)) else Media(words=media.words)

    def thumbnail(self, item: Item, *, side: int) -> str:
        """An image's or a video's picture of at most `side` pixels; empty for what has none."""
        value = self._decoded(item)
        seen = value.frames[0] if isinstance(value, Clip) and value.frames else value
        small = picture(seen, side=side) if isinstance(seen, Image.Image) else ""
        return small if self._room(len(small)) else ""

    def _decoded(self, item: Item) -> Any:
        try:
            return decode(self._settle(item) if self._settle is not None else item, self._limits)
        except ItemError:
            return None

    def _room(self, size: int) -> bool:
        """Whether so many letters are left; they are taken."""
        if size > self._left:
            self.missing += 1
            return False
        self._left -= size
        return True


def shown(value: Any) -> Media:
    """What a browser can show of a decoded value: of a clip a frame and its sound, of a sound or a series its curve too.

    Pictures are at most 160 pixels wide and high, sounds ten seconds, words 300 letters.
    """
    if isinstance(value, Clip):
        seen = Media(picture=picture(value.frames[0])) if value.frames else Media()
        heard = shown(value.sound) if value.sound is not None else Media()
        return Media(picture=seen.picture or heard.picture, sound=heard.sound)
    if isinstance(value, Image.Image):
        return Media(picture=picture(value))
    if isinstance(value, Waveform):
        return Media(picture=curves(value.samples[: SECONDS * value.rate, None]), sound=audio(value))
    if isinstance(value, Series):
        return Media(picture=curves(value.values))
    return Media(words=value[:LETTERS]) if isinstance(value, str) else Media()


def picture(image: Image.Image, *, side: int = SIDE) -> str:
    """A small picture as a data URI, PNG or JPEG, whichever is smaller; one of few pixels is enlarged and keeps their edges."""
    small = image.convert("RGBA" if "A" in image.getbands() else "RGB")
    small.thumbnail((side, side))
    factor = side // (2 * max(small.size))
    if factor > 1:
        small = small.resize((small.width * factor, small.height * factor), Image.Resampling.NEAREST)
    kinds = ("PNG",) if small.mode == "RGBA" else ("PNG", "JPEG")
    return min((_written(small, kind) for kind in kinds), key=len)


def audio(sound: Waveform) -> str:
    """The beginning of a sound as a data URI, at most 16 kHz: MP3 or FLAC, whichever this machine writes smaller."""
    samples = sound.samples[: SECONDS * sound.rate]
    rate = min(sound.rate, RATE)
    if rate != sound.rate:
        samples = soxr.resample(samples, sound.rate, rate)
    made = []
    for kind, mime in (("FLAC", "flac"), ("MP3", "mpeg")):
        if kind in soundfile.available_formats():
            out = io.BytesIO()
            soundfile.write(out, np.clip(samples, -1, 1), rate, format=kind)
            made.append(_uri(f"audio/{mime}", out.getvalue()))
    return min(made, key=len)


def curves(values: Float32[np.ndarray, "t c"]) -> str:
    """A sound's envelope or a series' curves as a data URI."""
    return _written(drawn(values, PLOT), "PNG")


def drawn(values: Float32[np.ndarray, "t c"], size: tuple[int, int]) -> Image.Image:
    """A sound's envelope or a series' curves, each channel at its own scale and at most four of them, on nothing."""
    width, height = size
    canvas = Image.new("RGBA", size)
    pen = ImageDraw.Draw(canvas)
    for channel, colour in zip(values.T, CURVES if len(values) else (), strict=False):
        parts = np.array_split(channel, min(width, len(channel)))
        low, high = np.array([part.min() for part in parts]), np.array([part.max() for part in parts])
        middle, reach = (low.min() + high.max()) / 2, max(float(high.max() - low.min()), 1e-9)
        across = np.linspace(0, width - 1, len(parts))
        down = ((height - 1) * (0.5 - (np.stack([low, high], axis=1) - middle) / reach)).tolist()
        pen.line([(float(x), y) for x, both in zip(across, down, strict=True) for y in both], fill=colour)
    return canvas


def encoded(image: Image.Image, kind: str) -> bytes:
    """A picture as a file of a kind that Pillow knows."""
    out = io.BytesIO()
    image.save(out, format=kind, optimize=True, quality=82)
    return out.getvalue()


def _written(image: Image.Image, kind: str) -> str:
    return _uri(f"image/{kind.lower()}", encoded(image, kind))


def _uri(kind: str, content: bytes) -> str:
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"
