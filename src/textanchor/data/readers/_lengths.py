"""What a file of sound says of its own length, against the bytes that it holds.

Headers are written before the sound is: by pipes, by recorders that broke off, by writers that count wrongly. A length that is
no length is replaced by what is there; a length that is one, and more than what is there, is a file that was cut off.
"""

from __future__ import annotations

import io
import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

NEVER_KNOWN = 0x7FFF0000  # so much or more stands in 32-bit headers that were never updated, whoever wrote them


@dataclass(frozen=True, kw_only=True)
class _Chunked:
    """A format of chunks: name, size, content. `counted`: the bytes of name and size that a size includes; `never`: no size."""

    kind: str
    magic: bytes
    within: bytes  # what follows the first size
    first: int
    head: str
    payload: bytes
    even: int = 2
    counted: int = 0
    never: int = NEVER_KNOWN


_FORMATS = (
    _Chunked(kind="WAV", magic=b"RIFF", within=b"WAVE", first=12, head="<4sI", payload=b"data"),
    _Chunked(kind="WAV", magic=b"RF64", within=b"WAVE", first=12, head="<4sI", payload=b"data"),
    _Chunked(kind="AIFF", magic=b"FORM", within=b"AIF", first=12, head=">4sI", payload=b"SSND"),
    _Chunked(kind="CAF", magic=b"caff", within=b"", first=8, head=">4sq", payload=b"data", even=1, never=1 << 40),
    _Chunked(kind="W64", magic=b"riff", within=b"", first=40, head="<16sq", even=8, counted=24, never=1 << 62,
             payload=b"data\xf3\xac\xd3\x11\x8c\xd1\x00\xc0\x4f\x8e\xdb\x8a"),
)  # fmt: skip


def truncated(kind: str, held: int, said: int, what: str = "bytes of sound") -> ValueError:
    """The error of a file that holds less than it announces."""
    return ValueError(f"truncated {kind}: {held:,} {what} of the {said:,} that its header announces")


def mended(stream: BinaryIO) -> BinaryIO:
    """The stream at its beginning, or a copy in memory whose length field says what the file holds.

    Raises `ValueError` for a file that was cut off. Other formats than WAV, AIFF, CAF, W64 and AU are given back as they are.
    """
    held = stream.seek(0, os.SEEK_END)
    stream.seek(0)
    head = stream.read(40)
    stream.seek(0)
    if head[:4] in (b".snd", b"dns."):
        return _mended_au(stream, head, held)
    chunked = next((one for one in _FORMATS if head[:4] == one.magic and head[8:].startswith(one.within)), None)
    found = chunked and _payload(stream, chunked, held)
    stream.seek(0)
    if chunked is None or not found:
        return stream
    at, said, right = found
    if said == right or (right >= 1 << 32 and chunked.head.endswith("I")):
        return stream
    copy = bytearray(stream.read())
    if chunked.magic == b"RF64":  # shorter than 4 GiB, and so a plain WAV
        copy[:4], copy[12:16] = b"RIFF", b"JUNK"
        struct.pack_into("<I", copy, 4, held - 8)
    struct.pack_into(chunked.head, copy, at, chunked.payload, right + chunked.counted)
    return io.BytesIO(copy)


def _payload(stream: BinaryIO, chunked: _Chunked, held: int) -> tuple[int, int, int] | None:
    """Where the chunk of sound is, its size as said, and as it is; None if there is no such chunk."""
    size, wide = struct.calcsize(chunked.head), b""
    for name, at, told in _walk(stream, chunked, chunked.first, held):
        if name == b"ds64":  # RF64: the sizes that 32 bits cannot hold
            stream.seek(at + size)
            wide = stream.read(16)
        if name != chunked.payload:
            continue
        said, there = told, held - at - size
        if chunked.magic == b"RF64" and told == 0xFFFFFFFF and len(wide) == 16:
            said = struct.unpack("<Q", wide[8:])[0]
            return at, said, said if 0 < said <= there else _right(said, there, held, 1 << 62, chunked.kind)
        if 0 <= said <= there:
            follows = _followed(stream, chunked, at + size + said, held)
            if follows or (follows is None and said):
                return at, said, said
        return at, said, _right(said, there, held, chunked.never, chunked.kind)
    return None


def _right(said: int, there: int, held: int, never: int, kind: str) -> int:
    """The size of what is there, unless more was announced in earnest: a size of the whole file is a writer's mistake."""
    if there < said < never and said not in (held, held - 8):
        raise truncated(kind, there, said)
    return there


def _walk(stream: BinaryIO, chunked: _Chunked, at: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """(name, place, size) of one chunk after the other, as far as sizes lead."""
    size = struct.calcsize(chunked.head)
    while at + size <= end:
        stream.seek(at)
        name, told = struct.unpack(chunked.head, stream.read(size))
        yield name, at, told - chunked.counted
        if told < chunked.counted:
            return
        at += size + told - chunked.counted
        at += -at % chunked.even


def _followed(stream: BinaryIO, chunked: _Chunked, at: int, held: int) -> bool | None:
    """Whether a chunk that ends here is followed by another; None if nothing is, of what the file's first size counts in."""
    if chunked.head[1:] != "4sI":
        return None
    stream.seek(4)
    whole = struct.unpack(f"{chunked.head[0]}I", stream.read(4))[0] + 8
    end = min(held, whole) if 8 < whole < NEVER_KNOWN else held
    if at + 8 >= end:
        return None
    stream.seek(at)
    after = stream.read(5)
    names = (after[:4], after[1:])  # padded to an even place, or not, as some write
    return any(name.isascii() and name.decode().isprintable() for name in names)


def _mended_au(stream: BinaryIO, head: bytes, held: int) -> BinaryIO:
    """AU has a header and sound, and nothing after it."""
    order = ">" if head[:4] == b".snd" else "<"
    if len(head) < 24:
        return stream
    begins, said = struct.unpack_from(f"{order}II", head, 4)
    there = held - begins
    right = _right(said, there, held, NEVER_KNOWN, "AU")
    if said == right or there < 0:
        return stream
    copy = bytearray(stream.read())
    struct.pack_into(f"{order}I", copy, 8, right)
    return io.BytesIO(copy)


def ogg_links(stream: BinaryIO) -> list[tuple[int, int]]:
    """Where each link of a chained Ogg file begins and ends: whole streams one after the other, with rates of their own.

    Raises `ValueError` where the last page was cut off.
    """
    held = stream.seek(0, os.SEEK_END)
    at, begins, opening = 0, [0], True
    while at + 27 <= held:
        stream.seek(at)
        head = stream.read(27)
        if head[:4] != b"OggS":
            break  # a tag at the end, or damage, which decoders pass over
        page = 27 + head[26] + sum(stream.read(head[26]))
        if at + page > held:
            raise truncated("Ogg", held - at, page, "bytes of the last page")
        first = bool(head[5] & 2)
        if first and not opening:
            begins.append(at)
        opening, at = first, at + page
    if 0 < held - at < 27:
        stream.seek(at)
        if b"OggS".startswith(stream.read(4)[:4]):
            raise truncated("Ogg", held - at, 27, "bytes of the last page")
    return list(zip(begins, [*begins[1:], held], strict=True))


def tag_end(stream: BinaryIO) -> int:
    """Where ID3v2 tags at the beginning end, 0 without any. Source: ID3v2.4, 3.1: 7 bits a byte, a footer if flagged."""
    at = 0
    while stream.seek(at) == at and (head := stream.read(10))[:3] == b"ID3" and len(head) == 10:
        size = sum((byte & 127) << 7 * place for place, byte in enumerate(reversed(head[6:])))
        at += size + (20 if head[5] & 16 else 10)
    stream.seek(0)
    return at


def mp3_frames(stream: BinaryIO) -> int:
    """The number of frames that the Xing, Info or VBRI header of an MP3 announces; 0 without one."""
    stream.seek(tag_end(stream))
    frame = stream.read(4096)
    stream.seek(0)
    for mark, offset in ((b"Xing", 8), (b"Info", 8), (b"VBRI", 14)):
        at = frame.find(mark)
        told = frame[at : at + offset + 4]
        if at >= 0 and len(told) == offset + 4 and (mark == b"VBRI" or told[7] & 1):
            return int.from_bytes(told[offset:], "big")
    return 0
