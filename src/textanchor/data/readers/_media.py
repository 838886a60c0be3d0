"""What PyAV is asked for, and its errors as one line."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO

import numpy as np

from textanchor.data.readers._whole import check_whole
from textanchor.records import Waveform
from textanchor.runtime import Limits

# The formats of docs/files.md. No other is tried, and none of them opens a second file: playlists and lists of files are text.
FORMATS = (
    "mov", "mp4", "m4a", "3gp", "3g2", "mj2", "matroska", "webm", "avi", "asf", "flv", "mpeg", "mpegts", "mpegvideo",
    "ogg", "mp3", "aac", "flac", "wav", "w64", "aiff", "caf", "au", "amr", "amrnb", "amrwb", "ac3", "eac3",
)  # fmt: skip
_BROADCAST = ("mpegts", "mpeg", "mpegvideo", "mp3")  # begin and end anywhere; what is between frames is passed over


@contextmanager
def container_in(stream: BinaryIO) -> Iterator[Any]:
    """The container in a file, from its beginning, of a documented format. Raises `ValueError` if it is none."""
    import av

    stream.seek(0)
    only = {"format_whitelist": ",".join(FORMATS), "protocol_whitelist": "none"}
    try:
        with av.open(stream, metadata_errors="replace", options=only) as container:
            yield container
    except av.ArgumentError:  # what a format gets that is not on the list
        raise ValueError("not a sound or video that FFmpeg can read, of the formats that are read") from None
    except (av.FFmpegError, EOFError) as why:
        raise ValueError(f"not a sound or video that FFmpeg can read: {getattr(why, 'strerror', None) or why}") from None


@contextmanager
def opened(stream: BinaryIO, limits: Limits) -> Iterator[Any]:
    """The container in a file that is whole and not too long. Raises `ValueError` if it is another."""
    import av

    check_whole(stream)
    with container_in(stream) as container:
        if (container.duration or 0) / av.time_base <= limits.seconds:
            yield container
            return
        check_seconds(last_packet(container), limits)  # a header may say anything
    with container_in(stream) as container:
        yield container


def last_packet(container: Any, *tracks: Any) -> float:
    """Seconds from the beginning of the tracks, or of all, to the end of their last packet: what is there, not what is said."""
    begin, end = float("inf"), 0.0
    for packet in container.demux(*tracks):
        time = packet.pts if packet.pts is not None else packet.dts
        if time is None or packet.stream.type not in ("audio", "video"):
            continue
        rate = getattr(packet.stream, "average_rate", None)
        length = float(packet.duration * packet.time_base) if packet.duration else 1 / float(rate) if rate else 0.0
        begin = min(begin, start_of(packet.stream))
        end = max(end, float(time * packet.time_base) + length)
    return max(0.0, end - begin)


def start_of(track: Any) -> float:
    """The time of a track's first frame."""
    return float(track.start_time * track.time_base) if track.start_time else 0.0


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


def sound_of(container: Any, limits: Limits, *, frames: int = 0) -> Waveform | None:
    """The first sound track, channels averaged, at the rate that it begins with; None if there is none.

    Raises `ValueError` for a track that breaks off, or that has fewer packets than the `frames` announced.
    """
    import av

    if not container.streams.audio:
        return None
    track, pieces, seconds, packets = container.streams.audio[0], list[tuple[int, np.ndarray]](), 0.0, 0
    if track.codec_context is None:
        raise ValueError("a sound track of an unknown codec")
    broadcast = any(name in _BROADCAST for name in container.format.name.split(","))
    for packet in container.demux(track):
        if packet.is_corrupt and not broadcast:
            raise ValueError(f"truncated: the sound breaks off after {seconds:.1f} s")
        packets += bool(packet.size)
        try:
            found = packet.decode()
        except av.InvalidDataError:
            if broadcast:
                continue
            raise ValueError(f"damaged or truncated: the sound cannot be decoded after {seconds:.1f} s") from None
        for frame in found:
            pieces.append((frame.sample_rate, _mono(frame)))
            seconds += frame.samples / frame.sample_rate
        check_seconds(seconds, limits)
    if packets < frames:
        raise ValueError(f"truncated: {packets:,} frames of the {frames:,} that the header announces")
    if not pieces:
        raise ValueError("sound of no samples")
    return joined(pieces)


def _mono(frame: Any) -> np.ndarray:
    values = frame.to_ndarray()
    if not frame.format.is_planar:
        values = values.reshape(-1, frame.layout.nb_channels).T
    if values.dtype.kind == "f":
        return values.mean(axis=0, dtype=np.float32)
    half = float(1 << (8 * values.dtype.itemsize - 1))
    mean = values.mean(axis=0, dtype=np.float64)
    return ((mean - half if values.dtype.kind == "u" else mean) / half).astype(np.float32)


def joined(pieces: list[tuple[int, np.ndarray]]) -> Waveform:
    """Pieces (rate, samples [t]) one after the other, at the first one's rate."""
    runs: list[tuple[int, list[np.ndarray]]] = []
    for rate, samples in pieces:
        if not runs or runs[-1][0] != rate:
            runs.append((rate, []))
        runs[-1][1].append(samples)
    first = runs[0][0]
    whole = [(rate, np.concatenate(parts)) for rate, parts in runs]
    even = [samples if rate == first else _resampled(samples, rate, first) for rate, samples in whole]
    return Waveform(samples=np.concatenate(even).astype(np.float32, copy=False), rate=first)


def _resampled(samples: np.ndarray, rate: int, wanted: int) -> np.ndarray:
    import av

    frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples[None], dtype=np.float32), "fltp", "mono")
    frame.sample_rate = rate
    resampler = av.AudioResampler(format="fltp", layout="mono", rate=wanted)
    return np.concatenate([part.to_ndarray()[0] for given in (frame, None) for part in resampler.resample(given)])
