"""Sounds by libsndfile, and by FFmpeg what it does not know; always as mono float samples."""

from __future__ import annotations

import os
from typing import Any, BinaryIO

import numpy as np
import soundfile

from textanchor.data.arrays import as_array, mono
from textanchor.data.readers._media import check_seconds, opened, sound_of
from textanchor.records import Waveform
from textanchor.runtime import Limits

BLOCK = 1 << 18  # frames that are held with all their channels


def _check_riff_length(stream: BinaryIO) -> None:
    """A WAV file says its own length; libsndfile reads a shortened one without a word."""
    head = stream.read(12)
    if not head:
        raise ValueError("empty file")
    held = stream.seek(0, os.SEEK_END)
    stream.seek(0)
    if head[:4] == b"RIFF":
        said = int.from_bytes(head[4:8], "little") + 8
        streamed = said in (8, 0xFFFFFFFF + 8)  # written to a pipe: the length was never known
        if held < said and not streamed:
            raise ValueError(f"truncated WAV: {held:,} bytes of the {said:,} that its header announces")


class AudioReader:
    """WAV, FLAC, OGG, Opus, MP3, AIFF, AU, CAF, M4A, AAC, WMA, AMR; channels are averaged, the rate is kept."""

    modality = "audio"
    extensions: tuple[str, ...] = (
        ".wav", ".flac", ".ogg", ".oga", ".opus", ".mp3", ".aif", ".aiff", ".au", ".caf", ".w64", ".m4a", ".aac", ".wma",
        ".mka", ".amr", ".ac3",
    )  # fmt: skip
    default_encoder = "signal"

    def read(self, stream: BinaryIO, limits: Limits) -> Waveform:
        """In full, at most so many seconds; silent-length-0, truncated or non-finite sound is an error."""
        _check_riff_length(stream)
        try:
            found = _by_libsndfile(stream, limits)
        except soundfile.LibsndfileError as why:
            _descriptor(stream)  # libsndfile has moved it, and Python does not know
            stream.seek(0)
            found = _by_ffmpeg(stream, limits, why.error_string)
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


def _by_libsndfile(stream: BinaryIO, limits: Limits) -> Waveform:
    with soundfile.SoundFile(_descriptor(stream) or stream, closefd=False) as sound:
        check_seconds(sound.frames / sound.samplerate, limits)
        parts = [_mono(block) for block in sound.blocks(blocksize=BLOCK, dtype="float32", always_2d=True)]
        count = sum(len(part) for part in parts)
        if count < sound.frames:
            raise ValueError(f"truncated: {count:,} of {sound.frames:,} frames")
        samples = parts[0] if len(parts) == 1 else np.concatenate([np.empty(0, dtype=np.float32), *parts])
        return Waveform(samples=samples, rate=sound.samplerate)


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
        with opened(stream, limits) as container:
            found = sound_of(container, limits)
    except ValueError as why:
        if "FFmpeg can read" not in str(why):
            raise
        raise ValueError(f"not a sound that libsndfile or FFmpeg can read: {first}") from None
    if found is None:
        raise ValueError("a file without a sound track")
    return found
