"""The chunks of a PNG that make its picture. All others are beside it, and nothing in them costs the pixels."""

from __future__ import annotations

import io
import zlib
from typing import BinaryIO

SIGNATURE = b"\x89PNG\r\n\x1a\n"
_TURNS = (b"XML:com.adobe.xmp\0", b"Raw profile type exif\0")  # texts that may say which way is up
_LARGEST = 1 << 18
_END = b"\0\0\0\0IEND\xae\x42\x60\x82"


def picture_only(stream: BinaryIO) -> io.BytesIO:
    """The signature and the chunks of the picture: palettes and pixels as they are, transparency and rotation if undamaged.

    Comments, profiles and times are left out, however large or broken; so are animations, whose first picture is the pixels'.
    """
    raw = stream.read()
    kept, at, pixels = [raw[:8]], 8, False
    while at + 12 <= len(raw):
        size, name = int.from_bytes(raw[at : at + 4], "big"), raw[at + 4 : at + 8]
        chunk = raw[at : at + 12 + size]
        if name == b"IEND":
            break
        pixels |= name == b"IDAT"
        if name in (b"IHDR", b"PLTE", b"IDAT") or _useful(name, chunk):
            kept.append(chunk)
        at += 12 + size
    # nothing is missing but the end itself, or the pixels are not whole, which their decoder says
    return io.BytesIO(b"".join([*kept, _END if pixels and at <= len(raw) else b""]))


def _useful(name: bytes, chunk: bytes) -> bool:
    if len(chunk) > _LARGEST or zlib.crc32(chunk[4:-4]) != int.from_bytes(chunk[-4:], "big"):
        return False
    data = chunk[8:-4]
    if name in (b"zTXt", b"iTXt", b"tEXt") and data.startswith(_TURNS):
        return name == b"tEXt" or _small(name, data)
    return name in (b"tRNS", b"eXIf")


def _small(name: bytes, data: bytes) -> bool:
    """Whether a text is no bomb."""
    rest = data.split(b"\0", 1)[1]
    packed = rest[1:] if name == b"zTXt" else rest[2:].split(b"\0", 2)[-1] if rest[:1] == b"\1" else b""
    try:
        return len(zlib.decompressobj().decompress(packed, _LARGEST)) < _LARGEST
    except zlib.error:
        return False
