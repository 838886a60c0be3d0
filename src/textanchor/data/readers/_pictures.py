"""What of a PNG, JPEG or TIFF makes its picture.

All else is beside it, and nothing in it, however large or broken, costs the pixels.
"""

from __future__ import annotations

import io
import struct
import zlib
from typing import BinaryIO

PNG, JPEG, TIFF = b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", (b"II*\0", b"MM\0*")
ORIENTATION = 0x0112
_EXIF = b"Exif\0\0"
_TURNS = (b"XML:com.adobe.xmp\0", b"Raw profile type exif\0")  # texts of a PNG that may say which way is up
_LARGEST = 1 << 18
_END = b"\0\0\0\0IEND\xae\x42\x60\x82"
_TIFF = frozenset((  # tags that say how pixels are stored and meant
    254, 256, 257, 258, 259, 262, 266, 273, 274, 277, 278, 279, 284, 292, 293, 317, 320, 322, 323, 324, 325, 332, 338, 339,
    340, 341, 347, 512, 513, 514, 515, 519, 520, 521, 529, 530, 531, 532,
))  # fmt: skip
_LEAST = {b"\0": 2, b"\2": 6, b"\3": 1}  # bytes of transparency a colour type needs


def picture_only(stream: BinaryIO) -> BinaryIO:
    """A copy without comments, profiles and times; other formats as they are."""
    head = stream.read(8)
    stream.seek(0)
    if head == PNG:
        return _png(stream.read())
    if head.startswith(JPEG):
        return _jpeg(stream.read())
    return _tiff(bytearray(stream.read())) if head.startswith(TIFF) else stream


def orientation(exif: bytes) -> int:
    """The flag that says which way is up, 1 to 8, of a block of EXIF; 0 if there is none. No other tag is looked at."""
    exif = exif.removeprefix(_EXIF)
    order = {b"II": "<", b"MM": ">"}.get(exif[:2], "")
    try:
        at = struct.unpack_from(f"{order}I", exif, 4)[0]
        for row in range(struct.unpack_from(f"{order}H", exif, at)[0]):
            tag, kind, _ = struct.unpack_from(f"{order}HHI", exif, at + 2 + 12 * row)
            if tag == ORIENTATION and kind in (1, 3, 4):
                flag: int = struct.unpack_from(order + {1: "B", 3: "H", 4: "I"}[kind], exif, at + 10 + 12 * row)[0]
                return flag if 1 <= flag <= 8 else 0
    except struct.error:
        pass
    return 0


def _png(raw: bytes) -> io.BytesIO:
    """Palettes and pixels as they are, transparency and rotation if undamaged; of an animation the pixels' picture."""
    kept, at, pixels = [raw[:8]], 8, False
    while at + 12 <= len(raw):
        size, name = int.from_bytes(raw[at : at + 4], "big"), raw[at + 4 : at + 8]
        chunk = raw[at : at + 12 + size]
        if name == b"IEND":
            break
        pixels |= name == b"IDAT"
        if name in (b"IHDR", b"PLTE", b"IDAT") or _useful(name, chunk, raw[25:26]):
            kept.append(chunk)
        at += 12 + size
    # nothing is missing but the end itself, or the pixels are not whole, which their decoder says
    return io.BytesIO(b"".join([*kept, _END if pixels and at <= len(raw) else b""]))


def _useful(name: bytes, chunk: bytes, colours: bytes) -> bool:
    if len(chunk) > _LARGEST or zlib.crc32(chunk[4:-4]) != int.from_bytes(chunk[-4:], "big"):
        return False
    data = chunk[8:-4]
    if name in (b"zTXt", b"iTXt", b"tEXt") and data.startswith(_TURNS):
        return name == b"tEXt" or _small(name, data)
    return name == b"eXIf" or (name == b"tRNS" and len(data) >= _LEAST.get(colours, 1))


def _small(name: bytes, data: bytes) -> bool:
    """Whether a text is no bomb."""
    rest = data.split(b"\0", 1)[1]
    packed = rest[1:] if name == b"zTXt" else rest[2:].split(b"\0", 2)[-1] if rest[:1] == b"\1" else b""
    try:
        return len(zlib.decompressobj().decompress(packed, _LARGEST)) < _LARGEST
    except zlib.error:
        return False


def _jpeg(raw: bytes) -> io.BytesIO:
    """Without the segments of applications, but for what says how colours are meant, and of EXIF the orientation alone."""
    kept, at, turned = [raw[:2]], 2, False
    while at + 4 <= len(raw) and raw[at] == 0xFF:
        mark, size = raw[at + 1], int.from_bytes(raw[at + 2 : at + 4], "big")
        if mark == 0xFF:  # filled up
            at += 1
            continue
        if mark == 0xDA or size < 2:  # the pixels
            break
        segment = raw[at : at + 2 + size]
        at += 2 + size
        if mark == 0xE1 and segment[4:].startswith(_EXIF) and not turned:
            turned = True
            kept.append(_oriented(orientation(segment[4:])))
        elif not (0xE1 <= mark <= 0xED or mark in (0xEF, 0xFE)) or segment[4:].startswith(b"http://ns.adobe.com/xap/1.0/\0"):
            kept.append(segment)
    return io.BytesIO(b"".join([*kept, raw[at:]]))


def _oriented(flag: int) -> bytes:
    """A segment of EXIF that says the orientation and nothing else."""
    body = _EXIF + b"II*\0" + struct.pack("<IHHHIHHI", 8, 1, ORIENTATION, 3, 1, flag, 0, 0)
    return b"\xff\xe1" + struct.pack(">H", len(body) + 2) + body if flag else b""


def _tiff(raw: bytearray) -> io.BytesIO:
    """The first picture's tags that say nothing of pixels are given a type that does not exist, and so are passed over."""
    order = "<" if raw[:2] == b"II" else ">"
    try:
        at = struct.unpack_from(f"{order}I", raw, 4)[0]
        for row in range(struct.unpack_from(f"{order}H", raw, at)[0]):
            if struct.unpack_from(f"{order}H", raw, at + 2 + 12 * row)[0] not in _TIFF:
                struct.pack_into(f"{order}H", raw, at + 4 + 12 * row, 0)
    except struct.error:
        pass
    return io.BytesIO(raw)
