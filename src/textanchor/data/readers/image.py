"""Images by Pillow, always as upright RGB."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock
from typing import Any, BinaryIO

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from textanchor.data.readers._media import check_pixels
from textanchor.runtime import Limits


class _PillowsLimit:
    """Pillow has one limit for the whole process: it warns of larger images and refuses those of more than twice its pixels.

    While images are read it is at least the greatest of their readers' limits, in however many threads; each reader refuses
    by its own. Afterwards it is what it was.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._asked: list[int] = []
        self._before = Image.MAX_IMAGE_PIXELS

    @contextmanager
    def at_least(self, pixels: int) -> Iterator[None]:
        with self._lock:
            if not self._asked:
                self._before = Image.MAX_IMAGE_PIXELS
            self._asked.append(pixels)
            self._settle()
        try:
            yield
        finally:
            with self._lock:
                self._asked.remove(pixels)
                self._settle()

    def _settle(self) -> None:
        if self._before is not None:  # somebody has switched it off
            Image.MAX_IMAGE_PIXELS = max([self._before, *self._asked])


_pillows_limit = _PillowsLimit()


def _upright_rgb(image: Image.Image) -> Image.Image:
    image = ImageOps.exif_transpose(image)
    if image.mode.startswith("I;16"):
        image = Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
    elif image.mode in ("I", "F"):
        image = _eight_bits(np.asarray(image, dtype=np.float64))
    elif image.mode == "LAB":
        image = _from_lab(image)
    if image.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in image.info:
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image.convert("RGBA"))
    return image.convert("RGB")


def _eight_bits(values: np.ndarray) -> Image.Image:
    """Wide pixels have no white of their own: [0, 1], 8 and 16 bits are known by their range, all else is stretched."""
    if not np.isfinite(values).all():
        raise ValueError("pixels hold NaN or infinite values")
    low, high = float(values.min()), float(values.max())
    whole = bool((values == np.round(values)).all())
    for white, fits in ((1.0, not whole), (255.0, True), (65535.0, whole)):
        if low >= 0 and high <= white and fits:
            return Image.fromarray(np.round(values / white * 255).astype(np.uint8))
    return Image.fromarray(np.round((values - low) / max(high - low, 1e-12) * 255).astype(np.uint8))


def _from_lab(image: Image.Image) -> Image.Image:
    from PIL import ImageCms

    found = ImageCms.profileToProfile(image, ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB"), outputMode="RGB")
    return image if found is None else found


class ImageReader:
    """PNG, JPEG, WebP, GIF, BMP, TIFF, AVIF, JPEG 2000; of several frames the first. Transparent pixels become white."""

    modality = "image"
    extensions: tuple[str, ...] = (
        ".png", ".apng", ".jpg", ".jpeg", ".jfif", ".webp", ".gif", ".bmp", ".tif", ".tiff", ".ppm", ".pgm", ".avif", ".jp2",
    )  # fmt: skip
    default_encoder = "efficientnet-lite0"

    def read(self, stream: BinaryIO, limits: Limits) -> Image.Image:
        """Decoded in full, so that truncation shows here."""
        head = stream.read(12)
        stream.seek(0)
        if not head:
            raise ValueError("empty file")
        try:
            with _pillows_limit.at_least(limits.pixels), Image.open(stream) as image:
                check_pixels(*image.size, limits)
                return _upright_rgb(image)
        except UnidentifiedImageError:
            raise ValueError(f"not an image that Pillow knows (begins with {head!r})") from None
        except (Image.DecompressionBombError, Image.DecompressionBombWarning) as why:  # a warning where warnings are errors
            raise ValueError(f"refused as a decompression bomb: {why}; raise the limit with --max-pixels") from None
        except (OSError, SyntaxError, EOFError, IndexError, TypeError, KeyError) as why:
            raise ValueError(f"damaged image: {why}") from None

    def accept(self, value: Any) -> Image.Image:
        """A PIL image, or uint8 pixels [h, w] or [h, w, 3]."""
        if isinstance(value, Image.Image):
            return _upright_rgb(value)
        if isinstance(value, np.ndarray) and value.dtype == np.uint8 and value.ndim in (2, 3):
            return _upright_rgb(Image.fromarray(value))
        raise ValueError(f"an image in memory is a PIL image or a uint8 array [h, w] or [h, w, 3], not {type(value).__name__}")

    def content(self, value: Image.Image) -> bytes:
        """Mode, size and pixels."""
        return f"{value.mode} {value.size} ".encode() + value.tobytes()
