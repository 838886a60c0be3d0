"""Sounds and films as a browser plays them: the file itself where its beginning shows that it is one, else a WAV of it."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
import soundfile

from textanchor.data.decoding import decode
from textanchor.errors import ItemError
from textanchor.records import Clip, Item, Waveform
from textanchor.records.items import Held
from textanchor.runtime import Limits
from textanchor.studio.showing.opening import opened, settled

HEAD = 64  # bytes that say what a file is
PLAIN = (1, 3, 0xFFFE)  # codes of WAV files that hold plain samples


@dataclass(frozen=True, kw_only=True)
class Playable:
    """An open file, its length in bytes, and what a browser is told that it is."""

    stream: BinaryIO
    size: int
    kind: str


def playable(item: Item, roots: Sequence[Path], limits: Limits) -> Playable:
    """A sound or a film. Raises `ItemError` for what is neither, cannot be read, or may not be shown."""
    if item.modality not in ("audio", "video"):
        raise ItemError(item.id, f"a {item.modality} is not played")
    if not item.part and (item.path is not None or isinstance(item.value, Held)):
        stream = opened(item, roots)
        kind = kind_of(stream.read(HEAD), item.modality)
        if kind:
            return Playable(stream=stream, size=stream.seek(0, io.SEEK_END), kind=kind)
        stream.close()
    return _decoded(item, roots, limits)


def kind_of(head: bytes, modality: str) -> str:
    """The type of a file that begins so, of those that browsers play; empty for all others."""
    if head[:4] == b"RIFF" and head[8:12] == b"WAVE":
        plain = head[12:16] != b"fmt " or int.from_bytes(head[20:22], "little") in PLAIN
        return "audio/wav" if plain else ""
    sound = modality == "audio"
    if head[4:8] == b"ftyp":
        return "audio/mp4" if sound else "video/mp4"
    if head[:4] == b"\x1aE\xdf\xa3":
        return "audio/webm" if sound else "video/webm"
    if head[:4] == b"OggS":
        return "audio/ogg" if sound else "video/ogg"
    if head[:4] == b"fLaC":
        return "audio/flac"
    if head[:3] == b"ID3" or (head[:1] == b"\xff" and head[1:2] in (b"\xfb", b"\xfa", b"\xf3", b"\xf2")):
        return "audio/mpeg"
    return "audio/aac" if head[:2] in (b"\xff\xf1", b"\xff\xf9") else ""


def _decoded(item: Item, roots: Sequence[Path], limits: Limits) -> Playable:
    """Its sound, at 16 bits."""
    value = decode(settled(item, roots), limits)
    sound = value.sound if isinstance(value, Clip) else value
    if not isinstance(sound, Waveform):
        raise ItemError(item.id, "it has no sound, and its pictures are of a kind that browsers do not play")
    out = io.BytesIO()
    soundfile.write(out, np.clip(sound.samples, -1, 1), sound.rate, format="WAV", subtype="PCM_16")
    return Playable(stream=out, size=out.tell(), kind="audio/wav")
