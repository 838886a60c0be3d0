"""Sounds by libsndfile, and by FFmpeg what it does not know; always as mono float samples."""

from __future__ import annotations

import io
import os
from typing import Any, BinaryIO

import numpy as np
import soundfile

from textanchor.data.arrays import as_array, mono
from textanchor.data.readers._lengths import mended, mp3_frames, ogg_links, tag_end, truncated
from textanchor.data.readers._media import check_seconds, container_in, joined, opened, sound_of
from textanchor.data.readers.video import VideoReader
from textanchor.records import Waveform
from textanchor.runtime import Limits

BLOCK = 1 << 18  # frames that are held with all their channels
BEGINNINGS = (b"RIFF", b"RF64", b"FORM", b"caff", b"riff", b".snd", b"dns.", b"OggS")  # what libsndfile is asked for first
KNOWN = ("WAV", "WAVEX", "RF64", "AIFF", "CAF", "W64", "AU", "FLAC", "OGG")
UNKNOWN = 1 << 36  # more frames than any header can say in earnest


class AudioReader:
    """WAV, FLAC, OGG, Opus, MP3, AIFF, AU, CAF, M4A, AAC, WMA, AMR; channels are averaged, the rate is kept."""

    modality = "audio"
    extensions: tuple[str, ...] = (
        ".wav", ".flac", ".ogg", ".oga", ".opus", ".mp3", ".aif", ".aiff", ".au", ".caf", ".w64", ".m4a", ".aac", ".wma",
        ".mka", ".amr", ".ac3",
    )  # fmt: skip
    on_request = VideoReader.extensions  # their sound tracks, and sounds in the formats of films
    default_encoder = "signal"

    def read(self, stream: BinaryIO, limits: Limits) -> Waveform:
        """In full, at most so many seconds; silent-length-0, truncated or non-finite sound is an error."""
        head = stream.read(4)
        if not head:
            raise ValueError("empty file")
        if head[:3] == b"ID3":
            stream, head = _without_tags(stream)
        if head == b"OggS":
            found = _by_links(stream, limits)
        elif head == b"fLaC":
            found = _flac(stream, limits)
        else:
            found = _by_either(mended(stream), limits)
        return self.accept(found)

    def accept(self, value: Any) -> Waveform:
        """A `Waveform`, or (samples [t], [t, channels] or [channels, t], rate); whole numbers by their type's range."""
        if isinstance(value, tuple) and len(value) == 2:
            samples = as_array(value[0])
            value = Waveform(samples=mono(np.asarray(value[0], np.float32) if samples is None else samples), rate=int(value[1]))
        if not isinstance(value, Waveform):
            raise ValueError(f"a sound in memory is a Waveform or (samples, rate), not {type(value).__name__}")
        if value.rate <= 0 or value.samples.ndim != 1:
            raise ValueError(f"sound needs samples [t] and a rate above 0, not {value.samples.shape} at {value.rate} Hz")
        if not len(value.samples):
            raise ValueError("sound of no samples")
        if not np.isfinite(value.samples).all():
            raise ValueError("sound holds NaN or infinite samples")
        return value

    def content(self, value: Waveform) -> bytes:
        """Rate, type, length and samples."""
        return f"{value.rate} {value.samples.dtype} {len(value.samples)} ".encode() + value.samples.tobytes()


def _without_tags(stream: BinaryIO) -> tuple[BinaryIO, bytes]:
    """What follows ID3v2 tags if libsndfile knows it, and its first four bytes; MP3 and AAC keep theirs."""
    stream.seek(tag_end(stream))
    head = stream.read(4)
    if head not in (*BEGINNINGS, b"fLaC"):
        return stream, b""
    return io.BytesIO(head + stream.read()), head


def _by_either(stream: BinaryIO, limits: Limits) -> Waveform:
    stream.seek(0)
    if stream.read(4) not in BEGINNINGS:
        return _by_ffmpeg(stream, limits, "Format not recognised.")
    try:
        return _by_libsndfile(stream, limits)
    except soundfile.LibsndfileError as why:
        _descriptor(stream)  # libsndfile has moved it, and Python does not know
        return _by_ffmpeg(stream, limits, why.error_string)


def _by_libsndfile(stream: BinaryIO, limits: Limits) -> Waveform:
    stream.seek(0)
    with soundfile.SoundFile(_descriptor(stream) or stream, closefd=False) as sound:
        if sound.format not in KNOWN:
            raise ValueError(f"not a sound of a format that is read, but {sound.format}")
        said = sound.frames if sound.frames < UNKNOWN else 0
        check_seconds(said / sound.samplerate, limits)
        parts, count = [np.empty(0, dtype=np.float32)], 0
        while len(block := sound.read(BLOCK, dtype="float32", always_2d=True)):  # as many as were decoded, whatever was said
            parts.append(_mono(block))
            count += len(block)
            check_seconds(count / sound.samplerate, limits)
        if count < said:
            raise truncated(sound.format, count, said, "frames")
        return Waveform(samples=parts[-1] if len(parts) == 2 else np.concatenate(parts), rate=sound.samplerate)


def _by_links(stream: BinaryIO, limits: Limits) -> Waveform:
    """Ogg: each link of a chain is a stream with a rate and channels of its own."""
    links = ogg_links(stream)
    if len(links) == 1:
        return _by_either(stream, limits)
    pieces, seconds = [], 0.0
    for begin, end in links:
        stream.seek(begin)
        found = _by_either(io.BytesIO(stream.read(end - begin)), limits)
        pieces.append((found.rate, found.samples))
        seconds += found.seconds
        check_seconds(seconds, limits)
    return joined(pieces)


def _flac(stream: BinaryIO, limits: Limits) -> Waveform:
    """FFmpeg counts the frames, whatever the header says; libsndfile decodes them, because it notices damage."""
    stream.seek(0)
    head = stream.read(26)
    rate, said = int.from_bytes(head[18:21], "big") >> 4, int.from_bytes(head[18:26], "big") & (1 << 36) - 1
    with container_in(stream) as container:
        there = round(sum(packet.duration * packet.time_base for packet in container.demux(audio=0) if packet.duration) * rate)
    stream.seek(0)
    if there not in (0, said):
        check_seconds(there / rate, limits)
        copy = bytearray(stream.read())
        copy[18:26] = (int.from_bytes(head[18:26], "big") - said + there).to_bytes(8, "big")
        stream = io.BytesIO(copy)
    try:
        return _by_libsndfile(stream, limits)
    except soundfile.LibsndfileError as why:
        raise ValueError(
            f"damaged or truncated FLAC: {there:,} of {said:,} frames are found, and {why.error_string.strip()}"
        ) from None


def _descriptor(stream: BinaryIO) -> int:
    """What libsndfile reads by itself, without a call into Python a block; 0 for what is no file."""
    try:
        held = stream.fileno()
    except (OSError, AttributeError):
        return 0
    os.lseek(held, 0, os.SEEK_SET)
    return held


def _mono(block: np.ndarray) -> np.ndarray:
    return block[:, 0] if block.shape[1] == 1 else block.mean(axis=1)


def _by_ffmpeg(stream: BinaryIO, limits: Limits, first: str) -> Waveform:
    try:
        frames = mp3_frames(stream)
        with opened(stream, limits) as container:
            found = sound_of(container, limits, frames=frames if container.format.name == "mp3" else 0)
    except ValueError as why:
        if "FFmpeg can read" not in str(why):
            raise
        raise ValueError(f"not a sound that libsndfile or FFmpeg can read: {first}") from None
    if found is None:
        raise ValueError("a file without a sound track")
    return found
