"""Sounds by libsndfile, always as mono float samples."""

from __future__ import annotations

import os
from typing import Any, BinaryIO

import numpy as np
import soundfile

from textanchor.records import Waveform

MAX_SECONDS = 600


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
    """WAV, FLAC, OGG, MP3, AIFF; channels are averaged, the rate is kept."""

    modality = "audio"
    extensions: tuple[str, ...] = (".wav", ".flac", ".ogg", ".oga", ".opus", ".mp3", ".aif", ".aiff")
    default_encoder = "signal"

    def read(self, stream: BinaryIO) -> Waveform:
        """At most ten minutes; longer, silent-length-0, truncated or non-finite sound is an error."""
        _check_riff_length(stream)
        try:
            with soundfile.SoundFile(stream) as sound:
                seconds = sound.frames / sound.samplerate
                if seconds > MAX_SECONDS:
                    raise ValueError(f"{seconds:.0f} s of sound, more than the limit of {MAX_SECONDS} s")
                samples = sound.read(dtype="float32", always_2d=True).mean(axis=1)
                if len(samples) < sound.frames:
                    raise ValueError(f"truncated: {len(samples):,} of {sound.frames:,} frames")
                return self.accept(Waveform(samples=samples, rate=sound.samplerate))
        except soundfile.LibsndfileError as why:
            raise ValueError(f"not a sound that libsndfile can read: {why.error_string}") from None

    def accept(self, value: Any) -> Waveform:
        """A `Waveform`, or (samples [t] or [t, channels], rate)."""
        if isinstance(value, tuple) and len(value) == 2:
            samples = np.asarray(value[0], dtype=np.float32)
            value = Waveform(samples=samples.mean(axis=1) if samples.ndim == 2 else samples, rate=int(value[1]))
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
