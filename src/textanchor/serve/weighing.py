"""What an item will take in memory once it is decoded, by its header alone; nothing is decoded for it."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping

from textanchor.errors import ItemError
from textanchor.runtime import Limits

PER_TEXT = 64 << 10  # bytes of a text's way through a model
PER_BYTE = 16  # decoded bytes a byte of what has no header that is known
PER_SOUND_BYTE = 128  # of a sound of which no header says the length: speech of 12 kbit a second
RATE = 48_000
CHANNELS = 2


def text_weight(text: str) -> int:
    """Bytes for a text."""
    return PER_TEXT + 4 * len(text)


def file_weight(modality: str, raw: bytes, limits: Limits, *, side: int = 1) -> int:
    """Bytes for the content of a file. Raises `ItemError` for an image with a side of fewer than `side` pixels."""
    weigh = _WAYS.get(modality)
    return len(raw) + (weigh(raw, limits, side) if weigh else PER_BYTE * len(raw))


def _image(raw: bytes, limits: Limits, side: int) -> int:
    """Pixels as 32-bit floats of three colours. What is no image is left to the decoder, which says so."""
    from PIL import Image

    from textanchor.data.readers.image import FORMATS

    try:
        with Image.open(io.BytesIO(raw), formats=FORMATS) as image:
            width, height = image.size
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):  # a warning where warnings are errors
        return limits.pixels * 3 * 4
    except Exception:  # Pillow's answers to hostile bytes are of any kind
        return 0
    if min(width, height) < side:
        raise ItemError("image", f"{width} x {height} pixels are too few for a picture; at least {side} x {side}")
    return min(width * height, limits.pixels) * 3 * 4


def _audio(raw: bytes, limits: Limits, _side: int) -> int:
    """Samples as 32-bit floats."""
    import soundfile

    longest = limits.seconds * RATE * CHANNELS
    try:
        told = soundfile.info(io.BytesIO(raw))
        return int(min(told.frames * told.channels, longest)) * 4
    except Exception:  # a format of films, or no sound
        return min(PER_SOUND_BYTE * len(raw), longest * 4)


_WAYS: Mapping[str, Callable[[bytes, Limits, int], int]] = {"image": _image, "audio": _audio}
