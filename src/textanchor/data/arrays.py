"""Arrays as pictures and sounds: whichever axis holds the channels, whatever the type of the numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
from PIL import Image

CHANNELS = (1, 3, 4)  # grey, colour, colour with transparency


def as_array(value: Any) -> np.ndarray | None:
    """A NumPy array of what is one already or a tensor of another library, on whatever device; None for all else."""
    if isinstance(value, np.ndarray):
        return value
    if hasattr(value, "detach") and hasattr(value, "cpu"):  # torch; NumPy has no bfloat16
        held = value.detach().cpu()
        return np.asarray(held.float().numpy() if "bfloat16" in str(held.dtype) else held.numpy())
    if hasattr(value, "__array__") and hasattr(value, "shape") and hasattr(value, "dtype") and not hasattr(value, "index"):
        return np.asarray(value)
    return None


def is_picture(array: np.ndarray) -> bool:
    """Whether one array can be nothing else: an axis of 1, 3 or 4 channels at an end, bytes [h, w], or square numbers."""
    if array.dtype.kind not in "buif":
        return False
    if array.ndim == 3:
        return array.shape[-1] in CHANNELS or array.shape[0] in CHANNELS
    return array.ndim == 2 and (array.dtype in (np.uint8, np.bool_) or array.shape[0] == array.shape[1] > 1)


def picture(array: np.ndarray) -> Image.Image:
    """A PIL image of [h, w], [h, w, channels] or [channels, h, w]: floats and truth values in [0, 1], bytes, 16-bit numbers.

    Raises `ValueError` for another shape, or numbers beyond their range.
    """
    pixels = array
    if pixels.ndim == 3 and pixels.shape[-1] not in CHANNELS and pixels.shape[0] in CHANNELS:
        pixels = np.moveaxis(pixels, 0, -1)
    if pixels.ndim == 3 and pixels.shape[-1] == 1:
        pixels = pixels[..., 0]
    if pixels.ndim not in (2, 3) or (pixels.ndim == 3 and pixels.shape[-1] not in CHANNELS) or not pixels.size:
        raise ValueError(f"a picture is [h, w], or has 1, 3 or 4 channels as its first or last axis, not {array.shape}")
    return Image.fromarray(np.ascontiguousarray(_bytes(pixels)))


def _bytes(pixels: np.ndarray) -> np.ndarray:
    kind = pixels.dtype.kind
    if pixels.dtype == np.uint8:
        return pixels
    if pixels.dtype == np.uint16:
        return (pixels >> 8).astype(np.uint8)
    if kind not in "bif" and kind != "u":
        raise ValueError(f"a picture holds numbers, not {pixels.dtype}")
    if kind == "f" and not np.isfinite(pixels).all():
        raise ValueError("pixels hold NaN or infinite values")
    white = 1 if kind in "bf" else 255
    low, high = float(pixels.min()), float(pixels.max())
    if low < 0 or high > white:
        raise ValueError(
            f"{pixels.dtype} pixels lie in [0, {white}], these in [{low:g}, {high:g}]; scale them, or give uint8 of 0 to 255"
        )
    return np.round(pixels.astype(np.float64) * (255 / white)).astype(np.uint8)


def mono(samples: np.ndarray) -> np.ndarray:
    """Samples [t], or two axes of which the shorter holds the channels, as float32 [t]; 8 to 32 bits by their type's range.

    Raises `ValueError` for another shape, or whole numbers of 64 bits, which no file has.
    """
    if samples.dtype.kind in "ui" and samples.dtype.itemsize > 4:
        raise ValueError(f"{samples.dtype} samples have no known range; give floats in [-1, 1], int16 or int32")
    if samples.dtype.kind == "u":
        half = 2.0 ** (8 * samples.dtype.itemsize - 1)
        samples = (samples.astype(np.float64) - half) / half
    elif samples.dtype.kind == "i":
        samples = samples.astype(np.float64) / 2.0 ** (8 * samples.dtype.itemsize - 1)
    if samples.ndim == 2:
        samples = samples.mean(axis=0 if samples.shape[0] < samples.shape[1] else 1)
    if samples.ndim != 1 or samples.dtype.kind not in "f":
        raise ValueError(f"sound is samples [t] or [t, channels], not {samples.dtype} {samples.shape}")
    return samples.astype(np.float32)
