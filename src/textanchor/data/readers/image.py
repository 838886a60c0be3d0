"""Images by Pillow, always as upright RGB."""

from __future__ import annotations

import warnings
from typing import Any, BinaryIO

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

MAX_PIXELS = 100_000_000


def _upright_rgb(image: Image.Image) -> Image.Image:
    if image.width * image.height > MAX_PIXELS:
        raise ValueError(f"{image.width} x {image.height} pixels, more than the limit of {MAX_PIXELS:,}")
    image = ImageOps.exif_transpose(image)
    if image.mode.startswith("I;16"):
        image = Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
    elif image.mode in ("I", "F"):
        raise ValueError(f"pixel mode {image.mode} has no defined white; convert the file to 8 or 16 bits a channel")
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image.convert("RGBA"))
    return image.convert("RGB")


class ImageReader:
    """PNG, JPEG, WebP, GIF (first frame), BMP, TIFF; transparent pixels become white, 16 bits become 8."""

    modality = "image"
    extensions: tuple[str, ...] = (".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp", ".tif", ".tiff", ".ppm", ".pgm")
    default_encoder = "signal"

    def read(self, stream: BinaryIO) -> Image.Image:
        """Decoded in full, so that truncation shows here."""
        head = stream.read(12)
        stream.seek(0)
        if not head:
            raise ValueError("empty file")
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", Image.DecompressionBombWarning)
                with Image.open(stream) as image:
                    return _upright_rgb(image)
        except UnidentifiedImageError:
            raise ValueError(f"not an image that Pillow knows (begins with {head!r})") from None
        except Image.DecompressionBombError as why:
            raise ValueError(f"refused as a decompression bomb: {why}") from None
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
