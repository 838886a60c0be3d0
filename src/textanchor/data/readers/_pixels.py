"""Pixels of more than eight bits a channel as eight bits: what is white where no header says it."""

from __future__ import annotations

from typing import BinaryIO

import numpy as np
from PIL import Image

WHITES = (255, 1023, 4095, 16383, 65535)  # 8, 10, 12, 14 and 16 bits
OVER = 1.05  # resampling, sharpening and saturated sensors overshoot by so much; that is clipped


def widened(image: Image.Image) -> Image.Image:
    """Grey of more than eight bits, or of signed ones, as eight. Tags of a TIFF say the sign, and which end is white."""
    tags = getattr(image, "tag_v2", {})
    form, bits = (next(iter(np.atleast_1d(tags.get(tag, default)).tolist())) for tag, default in ((339, 1), (258, 8)))
    values = np.asarray(image)
    if (image.mode, form, bits) == ("I", 1, 32):  # which Pillow keeps as signed
        values = values.view(np.uint32)
    elif image.mode == "L" and form == 2:
        values = values.view(np.int8)
    elif image.mode == "L":
        return image
    grey = eight_bits(values)
    return Image.fromarray(255 - grey if tags.get(262) == 0 and image.mode != "L" else grey)


def eight_bits(values: np.ndarray, white: float | None = None) -> np.ndarray:
    """Numbers [h, w] or [h, w, c] as uint8, black 0 and white as `white_of` says; those below 0 are stretched from the least.

    Raises `ValueError` for NaN or infinite values.
    """
    low, high = float(values.min()), float(values.max())
    if not np.isfinite([low, high]).all():
        raise ValueError("pixels hold NaN or infinite values")
    white = white or white_of(high)
    black, white = (low, max(high - low, 1e-12)) if low < -(OVER - 1) * white else (0.0, white)
    scaled = (values - black) / white  # the rest in place: images are large
    np.clip(scaled, 0, 1, out=scaled)
    scaled *= 255
    return np.round(scaled, out=scaled).astype(np.uint8)


def white_of(high: float) -> float:
    """White of an image by its brightest pixel: 1, or that of the bits which it makes use of, at least by half; else itself."""
    if high <= OVER:
        return 1.0
    return next((float(white) for white in WHITES if white / 2 < high <= white * OVER), high)


def deep_colours(image: Image.Image, source: BinaryIO) -> Image.Image:
    """RGB or RGBA of 16 bits a colour, of which Pillow keeps the upper eight, scaled by its range where that is less."""
    codec = {"PNG": "png", "TIFF": "tiff"}.get(image.format or "")
    if codec is None or int(np.asarray(image)[..., :3].max()) >= 128:
        return image
    import av

    source.seek(0)
    try:
        frames = av.CodecContext.create(codec, "r").decode(av.Packet(source.read()))
        values = frames[0].to_ndarray(format="rgba64le" if image.mode == "RGBA" else "rgb48le")
    except (av.FFmpegError, ValueError, IndexError):
        return image  # a compression that FFmpeg does not know: eight bits are better than none
    colours = eight_bits(values[..., :3])
    if image.mode == "RGBA":
        alpha = eight_bits(values[..., 3:], white_of(float(values[..., 3].max())))
        colours = np.concatenate([colours, alpha], axis=2)
    return Image.fromarray(colours)
