"""Whether a film's file was cut off, by the sizes that its own boxes announce."""

from __future__ import annotations

import os
from typing import BinaryIO

from textanchor.data.readers._lengths import NEVER_KNOWN, ogg_links, truncated

_ASF = bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c")
_ASF_FILE = bytes.fromhex("a1dcab8c47a9cf118ee400c00c205365")
_EBML, _SEGMENT, _CLUSTER = 0x1A45DFA3, 0x18538067, 0x1F43B675


def check_whole(stream: BinaryIO) -> None:
    """Raise `ValueError` for an MP4, Matroska, AVI, ASF, FLV or Ogg file that was cut off; rewinds the stream."""
    held = stream.seek(0, os.SEEK_END)
    stream.seek(0)
    head = stream.read(16)
    if head[4:8] in (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip"):
        _mp4(stream, held)
    elif head[:4] == b"RIFF" and head[8:12] == b"AVI ":
        _avi(stream, held)
    elif head[:4] == _EBML.to_bytes(4, "big"):
        _matroska(stream, held)
    elif head == _ASF:
        _asf(stream, held)
    elif head[:3] == b"FLV":
        _flv(stream, held)
    elif head[:4] == b"OggS":
        ogg_links(stream)
    stream.seek(0)


def _mp4(stream: BinaryIO, held: int) -> None:
    at = 0
    while at + 8 <= held:
        stream.seek(at)
        head = stream.read(16)
        size, name = int.from_bytes(head[:4], "big"), head[4:8]
        if size == 1:
            size = int.from_bytes(head[8:], "big")
        if size < 8:  # 0: to the end
            return
        if at + size > held and name in (b"mdat", b"moov", b"moof"):
            raise truncated("MP4", held - at, size, f"bytes of '{name.decode()}'")
        at += size


def _avi(stream: BinaryIO, held: int) -> None:
    at = 12
    while at + 12 <= held:
        stream.seek(at)
        head = stream.read(12)
        size = int.from_bytes(head[4:8], "little")
        if head[:4] == b"RIFF":  # parts of 1 GiB, one after the other
            at += 12
            continue
        if head[8:] == b"movi" and 0 < held - at - 8 < size < NEVER_KNOWN:
            raise truncated("AVI", held - at - 8, size, "bytes of film")
        if size == 0 and head[8:] == b"movi":
            return
        at += 8 + size + size % 2


def _matroska(stream: BinaryIO, held: int) -> None:
    """A cluster that ends after the file does, or clusters missing; an index that is cut off is no loss."""
    at, segment, last = 0, 0, 0
    while at < held:
        stream.seek(at)
        name, length = _vint(stream.read(8), keep=True)
        stream.seek(at + length)
        size, wide = _vint(stream.read(8))
        begins = at + length + wide
        if not length or not wide or (size == (1 << 7 * wide) - 1 and name != _SEGMENT):
            return  # a recording whose sizes were never known
        if name == _SEGMENT:
            if size == (1 << 7 * wide) - 1:
                return
            segment, at = begins + size, begins
            continue
        if name == _CLUSTER and begins + size > held:
            raise truncated("Matroska", held - begins, size, "bytes of a cluster")
        last, at = name, begins + size
    if segment > held and last == _CLUSTER:
        raise truncated("Matroska", held, segment, "bytes")


def _vint(raw: bytes, *, keep: bool = False) -> tuple[int, int]:
    """A number of variable length and its length; 0, 0 for none. Names keep the bit that says the length."""
    if not raw or not raw[0]:
        return 0, 0
    length = 9 - raw[0].bit_length()
    if len(raw) < length:
        return 0, 0
    value = int.from_bytes(raw[:length], "big")
    return (value if keep else value & ((1 << 7 * length) - 1)), length


def _asf(stream: BinaryIO, held: int) -> None:
    stream.seek(0)
    head = stream.read(1 << 16)
    at = head.find(_ASF_FILE)
    if at < 0 or len(head) < at + 92:
        return
    said, live = int.from_bytes(head[at + 40 : at + 48], "little"), head[at + 88] & 1
    if held < said and not live:
        raise truncated("ASF", held, said, "bytes")


def _flv(stream: BinaryIO, held: int) -> None:
    stream.seek(5)
    at = int.from_bytes(stream.read(4), "big") + 4
    while at < held:
        stream.seek(at)
        head = stream.read(4)
        if head[0] & 31 not in (8, 9, 18):
            return
        size = 11 + int.from_bytes(head[1:], "big")
        if at + size > held:
            raise truncated("FLV", held - at, size, "bytes of the last tag")
        at += size + 4
