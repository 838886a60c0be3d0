"""Files that nobody should send."""

from __future__ import annotations

import base64
import struct
import zlib


def png(width: int, height: int, *, bomb: bool = False) -> bytes:
    """A grey image of one bit a pixel; a `bomb` has few bytes for all of its pixels, else there are none behind the first."""
    packer = zlib.compressobj(9)
    row = bytes(1 + -(-width // 8))
    rows = [packer.compress(row * 100) for _ in range(height // 100)] if bomb else [packer.compress(row * height)]
    pixels = b"".join([*rows, packer.flush()])
    head = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", head) + _chunk(b"IDAT", pixels) + _chunk(b"IEND", b"")


def wav(samples: bytes, *, said: int | None = None) -> bytes:
    """A sound of 32-bit floats at 8 kHz, whose header says so many bytes."""
    size = len(samples) if said is None else said
    form = struct.pack("<HHIIHH", 3, 1, 8000, 32_000, 4, 32)
    chunks = b"fmt " + struct.pack("<I", len(form)) + form + b"data" + struct.pack("<I", size)
    return b"RIFF" + struct.pack("<I", 4 + len(chunks) + size) + b"WAVE" + chunks + samples


def uri(media: str, raw: bytes) -> str:
    """A data URI."""
    return f"data:{media};base64,{base64.b64encode(raw).decode()}"


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


NAN_WAV = wav(struct.pack("<800f", *([float("nan")] * 800)))
CUT_WAV = wav(bytes(400), said=400_000)
GOOD_PNG = png(64, 64)
"""A black picture, which is refused nowhere."""
