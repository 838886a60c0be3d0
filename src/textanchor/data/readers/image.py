"""Images by Pillow, always as upright RGB."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock
from typing import Any, BinaryIO

import numpy as np
from PIL import Image, UnidentifiedImageError

from textanchor.data.readers._media import check_pixels
from textanchor.data.readers._pictures import JPEG, ORIENTATION, PNG, TIFF, orientation, picture_only
from textanchor.data.readers._pixels import deep_colours, widened
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
FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF", "AVIF", "JPEG2000", "PPM")
"""The formats of docs/files.md. No other is tried: among Pillow's are some that start programs."""
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def _rgb(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I;16") or image.mode in ("I", "F", "L"):
        image = widened(image)
    if image.mode == "L" and image.getextrema()[1] == 1:  # a mask of 0 and 1
        image = image.point(lambda value: value * 255)
    elif image.mode == "LAB":
        image = _from_lab(image)
    if image.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in image.info:
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image.convert("RGBA"))
    return image.convert("RGB")


def _turn(image: Image.Image) -> Image.Transpose | None:
    """How an image is turned upright. Its metadata are read for this one number, and broken ones cost no picture."""
    try:
        flag = orientation(image.info.get("exif", b"")) or image.getexif().get(ORIENTATION, 1)
        return _TURNS.get(flag)
    except Exception:  # whatever a parser stumbles over
        return None


def _from_lab(image: Image.Image) -> Image.Image:
    from PIL import ImageCms

    found = ImageCms.profileToProfile(image, ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB"), outputMode="RGB")
    return image if found is None else found


def _decoded(image: Image.Image, source: BinaryIO | None = None) -> Image.Image:
    """Upright, RGB."""
    deep = (
        source is not None
        and image.mode in ("RGB", "RGBA")
        and any(";16" in str(tile[3]) for tile in getattr(image, "tile", ()))
    )
    before = _turn(image)
    image.load()  # which turns a TIFF, and finds what stands behind the pixels of a PNG
    found = deep_colours(image, source) if deep and source else image
    turn = before if found is not image and image.format == "TIFF" else _turn(image)
    return _rgb(found) if turn is None else _rgb(found).transpose(turn)


class ImageReader:
    """PNG, JPEG, WebP, GIF, BMP, TIFF, AVIF, JPEG 2000, PPM; of several frames the first. Transparent pixels become white."""

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
        source = picture_only(stream)
        try:
            with _pillows_limit.at_least(limits.pixels), Image.open(source, formats=FORMATS) as image:
                check_pixels(*image.size, limits)
                return _decoded(image, source)
        except UnidentifiedImageError:
            if head.startswith((PNG, JPEG, *TIFF)):
                raise ValueError("damaged image, or of a kind of pixels that Pillow does not know") from None
            raise ValueError(f"not an image of a format that is read: {', '.join(FORMATS)} (begins with {head!r})") from None
        except (Image.DecompressionBombError, Image.DecompressionBombWarning) as why:  # a warning where warnings are errors
            raise ValueError(f"refused as a decompression bomb: {why}; raise the limit with --max-pixels") from None
        except (OSError, SyntaxError, EOFError, IndexError, TypeError, KeyError) as why:
            raise ValueError(f"damaged image: {why}") from None

    def accept(self, value: Any) -> Image.Image:
        """A PIL image, or uint8 pixels [h, w] or [h, w, 3]."""
        if isinstance(value, Image.Image):
            return _decoded(value)
        if isinstance(value, np.ndarray) and value.dtype == np.uint8 and value.ndim in (2, 3):
            return _decoded(Image.fromarray(value))
        raise ValueError(f"an image in memory is a PIL image or a uint8 array [h, w] or [h, w, 3], not {type(value).__name__}")

    def content(self, value: Image.Image) -> bytes:
        """Mode, size and pixels."""
        return f"{value.mode} {value.size} ".encode() + value.tobytes()
