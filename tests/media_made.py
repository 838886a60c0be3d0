"""What faulty media are made of: films and sounds by FFmpeg, pictures chunk by chunk, and checks of what is read of them."""

from __future__ import annotations

import io
import shutil
import struct
import tempfile
import zlib
from collections.abc import Callable
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from odd_files import sound

RATE, LONG = 16000, np.random.default_rng(1).standard_normal(48000).astype(np.float32) / 10
ROWS, COLUMNS = np.mgrid[0:60, 0:90]
PICTURE = np.stack([COLUMNS * 255 // 89, ROWS * 255 // 59, 128 + 0 * COLUMNS], -1).astype(np.uint8)
FAST = {"movflags": "faststart"}


@lru_cache
def muxed(
    kind: str,
    picture: str = "",
    voice: str = "",
    *,
    rate: int = RATE,
    per_second: int = 12,
    size: tuple[int, int] = (64, 48),
    first: int = 0,
    seconds: float = 2.0,
    **options: str,
) -> bytes:
    """A film from black to white of two seconds, noise of so many, or both, as FFmpeg writes it; `options` of its muxer."""
    import av

    place = Path(tempfile.mkdtemp()) / "film"  # FFmpeg reads again what it wrote, to put an index first
    with av.open(str(place), "w", format=kind, options=options) as container:
        film = container.add_stream(picture, rate=per_second) if picture else None
        track = container.add_stream(voice, rate=rate) if voice else None
        if film is not None:
            film.width, film.height = size
            film.pix_fmt = "yuvj420p" if picture == "mjpeg" else "yuv420p"
            for number in range(2 * per_second):
                level = number * 255 // (2 * per_second - 1)
                frame = av.VideoFrame.from_ndarray(np.full((size[1], size[0], 3), level, np.uint8), "rgb24")
                frame.pts, frame.time_base = number + first, Fraction(1, per_second)
                container.mux(film.encode(frame))
            container.mux(film.encode())
        if track is not None:
            track.bit_rate = 64000
            noise = (np.resize(LONG, int(rate * seconds)) * 32767).astype(np.int16)
            for start in range(0, len(noise), 960):
                part = av.AudioFrame.from_ndarray(noise[None, start : start + 960], "s16", "mono")
                part.rate, part.pts, part.time_base = rate, start, Fraction(1, rate)
                container.mux(track.encode(part))
            container.mux(track.encode())
    raw = place.read_bytes()
    shutil.rmtree(place.parent)
    return raw


def noise(kind: str, subtype: str | None = None) -> Callable[[], bytes]:
    return sound(LONG, RATE, kind, subtype)


def told(
    make: Callable[[], bytes], mark: bytes, offset: int, form: str, value: float, *more: tuple[int, str, int]
) -> Callable[[], bytes]:
    """A file with another value so many bytes after a mark, and others at fixed places."""

    def changed() -> bytes:
        raw = bytearray(make())
        struct.pack_into(form, raw, raw.index(mark) + len(mark) + offset, value)
        for at, kind, what in more:
            struct.pack_into(kind, raw, at, what)
        return bytes(raw)

    return changed


def flac_of(frames: int) -> Callable[[], bytes]:
    """A FLAC whose header says so many frames."""

    def changed() -> bytes:
        raw = bytearray(noise("FLAC")())
        raw[18:26] = (int.from_bytes(raw[18:26], "big") >> 36 << 36 | frames).to_bytes(8, "big")
        return bytes(raw)

    return changed


def exactly(value: Any) -> bool:
    """All samples, and those that were written."""
    return value.rate == RATE and len(value.samples) == len(LONG) and float(np.abs(value.samples - LONG).max()) < 2e-4


def heard_for(seconds: float, rate: int = RATE) -> Callable[[Any], bool]:
    """Noise for so long to its end: nothing else is put in for what is missing."""
    return lambda v: (
        v.rate == rate and abs(v.seconds - seconds) < 0.15 and 0.05 < float(np.sqrt((v.samples[-2000:] ** 2).mean())) < 0.2
    )


def chunk(name: bytes, data: bytes, wrong: int = 0) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data) ^ wrong)


def png(*before: bytes, pixels: np.ndarray = PICTURE, after: bytes = b"", end: bytes = chunk(b"IEND", b"")) -> bytes:
    """RGB or RGBA pixels of 8 or 16 bits between other chunks."""
    deep = pixels.dtype == np.uint16
    rows = b"".join(b"\0" + row.astype(">u2" if deep else "u1").tobytes() for row in pixels)
    head = struct.pack(">IIBBBBB", pixels.shape[1], pixels.shape[0], 16 if deep else 8, {3: 2, 4: 6}[pixels.shape[2]], 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + b"".join(before) + chunk(b"IDAT", zlib.compress(rows)) + after + end


def exif(*entries: tuple[int, int, int, bytes], turned: int = 6) -> bytes:
    """A block of EXIF: the orientation, and what else it is said to hold."""
    entries = ((0x112, 3, 1, struct.pack("<HH", turned, 0)), *entries)
    head, data = struct.pack("<H", len(entries)), b""
    for tag, kind, count, value in entries:
        place = struct.pack("<I", 8 + 2 + 12 * len(entries) + 4 + len(data))
        head += struct.pack("<HHI", tag, kind, count) + (value if len(value) == 4 else place)
        data += value if len(value) != 4 else b""
    return b"Exif\0\0II*\0" + struct.pack("<I", 8) + head + bytes(4) + data


def lying(kind: str, block: bytes) -> Callable[[], bytes]:
    """The picture, lying on its side, with a block of EXIF that says so."""

    def make() -> bytes:
        out = io.BytesIO()
        how: dict[str, Any] = {"JPEG": {"quality": 95}, "WEBP": {"lossless": True}}.get(kind, {})
        Image.fromarray(PICTURE).transpose(Image.Transpose.ROTATE_90).save(out, kind, exif=block, **how)
        return out.getvalue()

    return make


def pictured(value: Any) -> bool:
    """The plain picture, upright."""
    return value.size == (90, 60) and float(np.abs(np.asarray(value, dtype=int) - PICTURE).mean()) < 3


def ramp(low: float, high: float, kind: str, form: str = "TIFF") -> Callable[[], bytes]:
    def make() -> bytes:
        out = io.BytesIO()
        Image.fromarray(np.tile(np.linspace(low, high, 90).astype(kind), (60, 1))).save(out, form)
        return out.getvalue()

    return make


def tiff(low: float, high: float, kind: str, form: int, *, meaning: int = 1) -> Callable[[], bytes]:
    """A grey TIFF of numbers that Pillow does not write; `form` 1 unsigned, 2 signed, 3 floating; `meaning` 0: 0 is white."""

    def make() -> bytes:
        rows = np.tile(np.linspace(low, high, 90).astype(kind), (60, 1))
        tags = {
            256: 90,
            257: 60,
            258: 8 * rows.itemsize,
            259: 1,
            262: meaning,
            273: 8,
            277: 1,
            278: 60,
            279: rows.nbytes,
            339: form,
        }
        entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags.items())
        return (
            b"II*\0" + struct.pack("<I", 8 + rows.nbytes) + rows.tobytes() + struct.pack("<H", len(tags)) + entries + bytes(4)
        )

    return make


def from_black_to_white(value: Any) -> bool:
    row = np.asarray(value, dtype=float)[30, :, 0]
    return bool((np.diff(row) >= 0).all()) and row[0] == 0 and row[-1] > 240 and 115 < row.mean() < 140


def deep(high: int, channels: int = 3) -> Callable[[], bytes]:
    pixels = np.tile(np.linspace(0, high, 90).astype(np.uint16)[None, :, None], (60, 1, channels))
    if channels == 4:
        pixels[..., 3] = 65535
    return lambda: png(pixels=pixels)


def saved(pixels: np.ndarray, kind: str = "TIFF") -> bytes:
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, kind)
    return out.getvalue()
