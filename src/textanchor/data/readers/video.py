"""Videos by PyAV, as parts: frames and the sound track."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from typing import Any, BinaryIO

import numpy as np
from PIL import Image

from textanchor.data.readers._media import check_pixels, last_packet, opened, sound_of, start_of
from textanchor.data.readers.protocol import AbsentPart
from textanchor.errors import InputError
from textanchor.records import Clip
from textanchor.runtime import Limits

CHOICES = ("first", "uniform", "scene")
MOST = 64
PLAN = "uniform:4+sound"
ROUNDING = 1e-3  # seconds: times of containers are whole numbers of ticks
_SHOWN = {  # signs of a display matrix's a, b, c, d: a pixel at (x, y) is shown at (ax + cy, bx + dy)
    (-1, 0, 0, 1): Image.Transpose.FLIP_LEFT_RIGHT,
    (1, 0, 0, -1): Image.Transpose.FLIP_TOP_BOTTOM,
    (-1, 0, 0, -1): Image.Transpose.ROTATE_180,
    (0, 1, 1, 0): Image.Transpose.TRANSPOSE,
    (0, -1, -1, 0): Image.Transpose.TRANSVERSE,
    (0, 1, -1, 0): Image.Transpose.ROTATE_270,
    (0, -1, 1, 0): Image.Transpose.ROTATE_90,
}


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
        if part == "sound":
            with opened(stream, limits) as container:
                sound = sound_of(container, limits)
            if sound is None:
                raise AbsentPart("no sound track")
            return sound
        _, choice, count, row = part.split(":")
        return upright(_frame(_Film(stream, limits), choice, int(count), int(row)), limits)


class _Film:
    """A file's first picture track, opened anew for each look at it: where a seek has led is not known before."""

    def __init__(self, stream: BinaryIO, limits: Limits) -> None:
        self.stream = stream
        self.limits = limits

    @contextmanager
    def opened(self, *, threads: bool = False) -> Iterator[tuple[Any, Any]]:
        """Container and track. Raises `AbsentPart` if there is no picture."""
        with opened(self.stream, self.limits) as container:
            track = next((track for track in container.streams.video if not _is_cover(track)), None)
            if track is None:
                raise AbsentPart("no picture")
            if track.codec_context is None:
                raise ValueError("a picture of an unknown codec")
            check_pixels(track.codec_context.width, track.codec_context.height, self.limits)
            track.codec_context.options = {"max_pixels": str(self.limits.pixels)}  # sizes may change on the way
            track.thread_type = "AUTO" if threads else "NONE"
            yield container, track

    def seconds(self) -> float:
        """The picture's length: what is said if its last packets are there, else what all packets say."""
        with self.opened() as (container, track):
            said = float(track.duration * track.time_base) if track.duration else 0.0
            if said and _sought(container, track, start_of(track) + said):
                slack = 2 / float(track.average_rate) if track.average_rate else 0.1
                if abs(last_packet(container, track) - said) <= slack:
                    return said
        with self.opened() as (container, track):
            return last_packet(container, track)


def _is_cover(track: Any) -> bool:
    import av

    return bool(track.disposition & av.stream.Disposition.attached_pic)


def _frame(film: _Film, choice: str, count: int, row: int) -> Any:
    if choice == "first":
        return _first(film)
    if choice == "scene" and (times := _scenes(film, count)):
        return _at(film, times[row])
    seconds = film.seconds()
    return _at(film, seconds * (row + 0.5) / count) if seconds > 0 else _first(film)


def _first(film: _Film) -> Any:
    with film.opened() as (container, track):
        return next(_decoded(container, track))[1]


def _sought(container: Any, track: Any, seconds: float) -> bool:
    import av

    try:
        container.seek(int(seconds / track.time_base), stream=track, backward=True)
    except av.FFmpegError:
        return False
    return True


def _at(film: _Film, seconds: float) -> Any:
    """The frame shown at a time, which frames of variable length make another matter than the n-th frame.

    A seek may land behind that time, or at the end: then the film is decoded from its beginning.
    """
    shown = None
    for seeking in (True, False):
        with film.opened() as (container, track):
            wanted = start_of(track) + seconds
            if seeking and not _sought(container, track, wanted):
                continue
            shown = None
            for time, frame in _decoded(container, track, some=not seeking):
                if time > wanted + ROUNDING:
                    if shown is None and not seeking:
                        return frame
                    break
                shown = frame
            if shown is not None:
                return shown
    raise ValueError(f"no frame at {seconds:.1f} s")


def _decoded(container: Any, track: Any, *, some: bool = True) -> Iterator[tuple[float, Any]]:
    """Times and frames; what cannot be decoded is passed over. `ValueError` if `some` are asked for and none is."""
    import av

    time, step = start_of(track), 1 / float(track.average_rate or 25)
    count = 0
    for packet in container.demux(track):
        try:
            frames = packet.decode()
        except av.InvalidDataError:
            continue
        except av.ArgumentError:  # of FFmpeg's own check of sizes
            raise ValueError("a frame that is damaged, or has more pixels than the limit; raise it with --max-pixels") from None
        for frame in frames:
            time = frame.time if frame.time is not None else time + step * bool(count)
            count += 1
            yield time, frame
    if some and not count:
        raise ValueError("no frame can be decoded")


def _scenes(film: _Film, count: int) -> list[float]:
    """Times of key frames in the middle of the stretches between the greatest changes; none if there are too few."""
    times, small = [], []
    with film.opened(threads=True) as (container, track):
        track.codec_context.skip_frame = "NONKEY"
        for time, frame in _decoded(container, track):
            times.append(time - start_of(track))
            small.append(np.asarray(frame.to_image().convert("L").resize((16, 16)), dtype=np.float32))
    if len(times) < 2 * count:
        return []
    change = np.abs(np.diff(np.stack(small), axis=0)).mean(axis=(1, 2))
    cuts = np.sort(np.argsort(-change, kind="stable")[: count - 1]) + 1
    edges = [0, *cuts.tolist(), len(times)]
    return [times[(low + high) // 2] for low, high in pairwise(edges)]


def upright(frame: Any, limits: Limits) -> Image.Image:
    """A frame as it is shown: turned and mirrored as its display matrix says."""
    check_pixels(frame.width, frame.height, limits)
    image: Image.Image = frame.to_image()
    matrix = frame.side_data.get("DISPLAYMATRIX")
    if matrix is None:
        return image
    a, b, _, c, d = np.frombuffer(bytes(matrix), dtype=np.int32)[:5].tolist()
    signs = tuple(int(np.sign(value)) for value in (a, b, c, d))
    if signs == (1, 0, 0, 1):
        return image
    if signs in _SHOWN:
        return image.transpose(_SHOWN[signs])
    return image.rotate(int(frame.rotation or 0), expand=True)
