"""What PyAV is asked for, and its errors as one line."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO

import numpy as np

from textanchor.records import Waveform
from textanchor.runtime import Limits


@contextmanager
def opened(stream: BinaryIO, limits: Limits) -> Iterator[Any]:
    """The container in a file of any format that FFmpeg knows. Raises `ValueError` if it is none, or too long."""
    import av

    try:
        with av.open(stream, metadata_errors="replace") as container:
            if container.duration:
                check_seconds(container.duration / av.time_base, limits)
            yield container
    except (av.FFmpegError, EOFError) as why:
        raise ValueError(f"not a sound or video that FFmpeg can read: {getattr(why, 'strerror', None) or why}") from None


def check_seconds(seconds: float, limits: Limits) -> None:
    """Raise `ValueError` for more than the limit."""
    if seconds > limits.seconds:
        raise ValueError(
            f"{seconds:.0f} s long, more than the limit of {limits.seconds} s; raise it with --max-seconds "
            "(TEXTANCHOR_MAX_SECONDS)"
        )


def check_pixels(width: int, height: int, limits: Limits) -> None:
    """Raise `ValueError` for more than the limit."""
    if width * height > limits.pixels:
        raise ValueError(
            f"{width} x {height} pixels, more than the limit of {limits.pixels:,}; raise it with --max-pixels "
            "(TEXTANCHOR_MAX_PIXELS)"
        )


def sound_of(container: Any, limits: Limits) -> Waveform | None:
    """The first sound track, channels averaged, at its own rate; None if there is none."""
    import av

    if not container.streams.audio:
        return None
    track = container.streams.audio[0]
    rate = int(getattr(track, "rate", None) or 0)
    if rate <= 0:
        raise ValueError("a sound track without a rate, or of an unknown codec")
    to_float = av.AudioResampler(format="fltp")
    parts, count = [], 0
    for frame in container.decode(track):
        for even in to_float.resample(frame):
            parts.append(even.to_ndarray().mean(axis=0))
            count += len(parts[-1])
        check_seconds(count / rate, limits)
    if not count:
        raise ValueError("sound of no samples")
    return Waveform(samples=np.concatenate(parts).astype(np.float32), rate=rate)
