"""Videos by PyAV, as parts: frames and the sound track."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any, BinaryIO

import numpy as np
from PIL import Image

from textanchor.data.readers._media import check_pixels, opened, sound_of
from textanchor.data.readers.protocol import AbsentPart
from textanchor.errors import InputError
from textanchor.records import Clip
from textanchor.runtime import Limits

CHOICES = ("first", "uniform", "scene")
MOST = 64
PLAN = "uniform:4+sound"


class VideoReader:
    """MP4, MOV, MKV, WebM, AVI, MPEG and what else FFmpeg knows.

    A plan says which parts are taken: `first`, `uniform:4` (the middles of four equal stretches) or `scene:4` (one key frame of
    each of four stretches that differ most), and `+sound` for the sound track.
    """

    modality = "video"
    extensions: tuple[str, ...] = (
        ".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".mpg", ".mpeg", ".wmv", ".flv", ".3gp", ".ogv",
    )  # fmt: skip
    default_encoder = ""

    def read(self, stream: BinaryIO, limits: Limits) -> Clip:
        """The first frame and the sound. Raises `ValueError` if there is neither."""
        found = []
        for part in ("frame:first:1:0", "sound"):
            stream.seek(0)
            try:
                found.append(self.read_part(stream, part, limits))
            except AbsentPart:
                found.append(None)
        if found == [None, None]:
            raise ValueError("a file with neither picture nor sound")
        return Clip(frames=(found[0],) if found[0] is not None else (), sound=found[1])

    def accept(self, value: Any) -> Clip:
        """A `Clip`; any other video is given as a file."""
        if not isinstance(value, Clip):
            raise ValueError(f"a video is a file (a Path) or a Clip, not {type(value).__name__}")
        return value

    def content(self, value: Clip) -> bytes:
        """Sizes and bytes of all frames and samples."""
        frames = b"".join(f"{frame.mode} {frame.size} ".encode() + frame.tobytes() for frame in value.frames)
        return frames + (b"" if value.sound is None else f"{value.sound.rate} ".encode() + value.sound.samples.tobytes())

    def parts(self, plan: str) -> tuple[tuple[str, str], ...]:
        """Frames as images and the sound track as audio."""
        found: list[tuple[str, str]] = []
        for piece in plan.split("+"):
            choice, _, count = piece.partition(":")
            if piece == "sound":
                found.append(("sound", "audio"))
            elif (
                choice in CHOICES and (count or "1").isdecimal() and 1 <= int(count or 1) <= (1 if choice == "first" else MOST)
            ):
                found += [(f"frame:{choice}:{count or 1}:{row}", "image") for row in range(int(count or 1))]
            else:
                raise InputError(
                    f"video plan '{plan}': expected first, uniform:4 or scene:4 (1 to {MOST} frames), sound, or both with +"
                )
        return tuple(dict.fromkeys(found))

    def read_part(self, stream: BinaryIO, part: str, limits: Limits) -> Any:
        """An upright frame, or the sound."""
        with opened(stream, limits) as container:
            if part == "sound":
                sound = sound_of(container, limits)
                if sound is None:
                    raise AbsentPart("no sound track")
                return sound
            tracks = [track for track in container.streams.video if not _is_cover(track)]
            if not tracks:
                raise AbsentPart("no picture")
            _, choice, count, row = part.split(":")
            check_pixels(tracks[0].codec_context.width, tracks[0].codec_context.height, limits)
            tracks[0].thread_type = "AUTO" if choice == "scene" else "NONE"
            return _upright(_frame(container, tracks[0], choice, int(count), int(row)))


def _is_cover(track: Any) -> bool:
    import av

    return bool(track.disposition & av.stream.Disposition.attached_pic)


def _frame(container: Any, track: Any, choice: str, count: int, row: int) -> Any:
    seconds = _seconds(container, track)
    if choice == "first" or seconds <= 0:
        return next(_decoded(container, track))
    if choice == "scene" and (times := _scenes(container, track, count)):
        return _at(container, track, times[row])
    return _at(container, track, seconds * (row + 0.5) / count)


def _seconds(container: Any, track: Any) -> float:
    import av

    if track.duration:
        return float(track.duration * track.time_base)
    return float(container.duration / av.time_base) if container.duration else 0.0


def _start(track: Any) -> float:
    return float(track.start_time * track.time_base) if track.start_time else 0.0


def _at(container: Any, track: Any, seconds: float) -> Any:
    """The frame shown at a time, which frames of variable length make another matter than the n-th frame."""
    wanted = _start(track) + seconds
    container.seek(int(wanted / track.time_base), stream=track, backward=True)
    shown = None
    for frame in _decoded(container, track):
        if shown is not None and frame.time is not None and frame.time > wanted:
            return shown
        shown = frame
    if shown is None:
        raise ValueError(f"no frame at {seconds:.1f} s")
    return shown


def _decoded(container: Any, track: Any) -> Iterator[Any]:
    """Frames; a file that breaks off after some of them has those."""
    import av

    count = 0
    try:
        for frame in container.decode(track):
            count += 1
            yield frame
    except av.FFmpegError:
        if not count:
            raise
    if not count:
        raise ValueError("no frame can be decoded")


def _scenes(container: Any, track: Any, count: int) -> list[float]:
    """Times of key frames in the middle of the stretches between the greatest changes; none if there are too few."""
    track.codec_context.skip_frame = "NONKEY"
    times, small = [], []
    for frame in _decoded(container, track):
        times.append(float(frame.time or 0.0) - _start(track))
        small.append(np.asarray(frame.to_image().convert("L").resize((16, 16)), dtype=np.float32))
    track.codec_context.skip_frame = "DEFAULT"
    if len(times) < 2 * count:
        return []
    change = np.abs(np.diff(np.stack(small), axis=0)).mean(axis=(1, 2))
    cuts = np.sort(np.argsort(-change, kind="stable")[: count - 1]) + 1
    edges = [0, *cuts.tolist(), len(times)]
    return [times[(low + high) // 2] for low, high in pairwise(edges)]


def _upright(frame: Any) -> Image.Image:
    image: Image.Image = frame.to_image()
    turn = int(getattr(frame, "rotation", 0) or 0)
    return image.rotate(turn, expand=True) if turn else image
