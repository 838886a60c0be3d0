"""Odd and hostile files, made here: what each is, and what must become of it.

An outcome that is a callable checks the decoded value; one that is a str is part of the reason for which the file is refused.
The table in docs/files.md lists them all.
"""

from __future__ import annotations

import io
import struct
import wave
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import Any

import numpy as np
import soundfile
from PIL import Image

RNG = np.random.default_rng(0)
NOISE = Image.fromarray(RNG.integers(0, 256, (20, 30, 3), dtype=np.uint8))
TONE = np.sin(np.linspace(0, 900, 8000)).astype(np.float32) / 2


@dataclass(frozen=True)
class Case:
    """One file; `outcome` is a check of the value, or part of the reason for refusing it."""

    modality: str
    about: str
    make: Callable[[], bytes]
    outcome: Callable[[Any], bool] | str

    @property
    def told(self) -> str:
        """What the docs say of it."""
        return f"refused: {self.outcome}" if isinstance(self.outcome, str) else "read"


def image(kind: str = "PNG", held: Image.Image = NOISE, **how: Any) -> Callable[[], bytes]:
    def make() -> bytes:
        out = io.BytesIO()
        held.save(out, format=kind, **how)
        return out.getvalue()

    return make


def sound(samples: np.ndarray = TONE, rate: int = 16000, kind: str = "WAV", subtype: str | None = None) -> Callable[[], bytes]:
    def make() -> bytes:
        out = io.BytesIO()
        soundfile.write(out, samples, rate, format=kind, subtype=subtype)
        return out.getvalue()

    return make


@lru_cache
def film(
    kind: str = "mp4", codec: str = "mpeg4", *, frames: int = 24, sound: str = "aac", uneven: bool = False, turn: int = 0
) -> bytes:
    """A film whose picture goes from black to white, with a tone or without."""
    import av

    out = io.BytesIO()
    with av.open(out, "w", format={"mkv": "matroska"}.get(kind, kind)) as container:
        picture = voice = None
        if frames:
            picture = container.add_stream(codec, rate=12)
            picture.width, picture.height, picture.pix_fmt = 64, 48, "yuv420p"
            picture.time_base = picture.codec_context.time_base = Fraction(1, 120)
            picture.codec_context.gop_size, picture.codec_context.options = 24, {"sc_threshold": "1000000000"}
        if sound:
            voice = container.add_stream(sound, rate=16000 if sound != "libopus" else 48000)
        if picture is not None:
            for number in range(frames):
                frame = av.VideoFrame.from_ndarray(np.full((48, 64, 3), number * 255 // frames, np.uint8), "rgb24")
                frame.pts = number * number if uneven else number * 10
                frame.time_base = Fraction(1, 120)
                container.mux(picture.encode(frame))
            container.mux(picture.encode())
        if voice is not None:
            rate = voice.rate
            wave_ = (np.sin(np.arange(2 * rate) / 20) * 8000).astype(np.int16)
            for start in range(0, len(wave_), 1024):
                part = av.AudioFrame.from_ndarray(wave_[None, start : start + 1024], "s16", "mono")
                part.rate, part.pts, part.time_base = rate, start, Fraction(1, rate)
                container.mux(voice.encode(part))
            container.mux(voice.encode())
    return out.getvalue()


def cut(make: Callable[[], bytes], share: float) -> Callable[[], bytes]:
    return lambda: make()[: int(len(make()) * share)]


def bomb() -> bytes:
    """A PNG of a few bytes that says it has 3.6 thousand million pixels."""
    raw = bytearray(image("PNG", Image.new("L", (1, 1)))())
    raw[16:24] = struct.pack(">II", 60_000, 60_000)
    raw[29:33] = struct.pack(">I", zlib.crc32(bytes(raw[12:29])))
    return bytes(raw)


def turned(flag: int) -> Callable[[], bytes]:
    flags = Image.Exif()
    flags[0x0112] = flag
    return image("JPEG", NOISE, exif=flags)


def npy(values: np.ndarray, **how: Any) -> Callable[[], bytes]:
    def make() -> bytes:
        out = io.BytesIO()
        np.save(out, values, **how)
        return out.getvalue()

    return make


def parquet(columns: dict[str, Any]) -> Callable[[], bytes]:
    def make() -> bytes:
        import pyarrow as pa
        import pyarrow.parquet as pq

        out = io.BytesIO()
        pq.write_table(pa.table(columns), out)
        return out.getvalue()

    return make


def _header(shape: tuple[int, ...]) -> bytes:
    out = io.BytesIO()
    np.lib.format.write_array_header_1_0(out, {"descr": "<f8", "fortran_order": False, "shape": shape})
    return out.getvalue()


def eight_bit_wav() -> bytes:
    out = io.BytesIO()
    with wave.open(out, "wb") as held:
        held.setnchannels(1)
        held.setsampwidth(1)
        held.setframerate(8000)
        held.writeframes(((TONE + 1) * 127).astype(np.uint8).tobytes())
    return out.getvalue()


def rgb(width: int = 30, height: int = 20) -> Callable[[Any], bool]:
    return lambda value: value.mode == "RGB" and value.size == (width, height)


def heard(rate: int, seconds: float = 0.5) -> Callable[[Any], bool]:
    return lambda value: value.rate == rate and abs(value.seconds - seconds) < 0.15 and np.abs(value.samples).max() > 0.1


def seen(frames: int, sound_: bool) -> Callable[[Any], bool]:
    return lambda value: len(value.frames) == frames and (value.sound is not None) == sound_


DEEP = Image.fromarray(np.arange(600, dtype=np.uint16).reshape(20, 30) * 100)
WIDE = Image.fromarray(np.arange(600, dtype=np.int32).reshape(20, 30) * 90)
REAL = Image.fromarray((np.arange(600, dtype=np.float32) / 600).reshape(20, 30))
STEREO = np.stack([TONE, TONE], axis=1)
CASES = [
    *(Case("image", f"mode {mode}", image(kind, NOISE.convert(mode)), rgb())
      for mode, kind in (("1", "PNG"), ("L", "PNG"), ("P", "PNG"), ("RGBA", "PNG"), ("LA", "PNG"), ("CMYK", "JPEG"),
                         ("CMYK", "TIFF"), ("YCbCr", "JPEG"), ("LAB", "TIFF"))),
    Case("image", "16 bits a pixel, PNG", image("PNG", DEEP), lambda v: v.mode == "RGB" and v.getpixel((29, 19)) == (233, 233, 233)),
    Case("image", "32-bit integers, TIFF", image("TIFF", WIDE), lambda v: v.getpixel((29, 19)) == (210, 210, 210)),
    Case("image", "floating point in [0, 1], TIFF", image("TIFF", REAL), lambda v: v.getpixel((29, 19)) == (255, 255, 255)),
    Case("image", "floating point with NaN", image("TIFF", Image.fromarray(np.full((4, 4), np.nan, np.float32))), "NaN"),
    Case("image", "rotation flag 6 in EXIF", turned(6), rgb(20, 30)),
    Case("image", "mirror flag 5 in EXIF", turned(5), rgb(20, 30)),
    Case("image", "animated GIF: the first frame", image("GIF", NOISE, save_all=True, append_images=[NOISE.rotate(90)] * 3), rgb()),
    Case("image", "animated WebP", image("WEBP", NOISE, save_all=True, append_images=[NOISE.rotate(180)] * 2), rgb()),
    Case("image", "several pages of TIFF", image("TIFF", NOISE, save_all=True, append_images=[NOISE] * 2), rgb()),
    Case("image", "transparent GIF on white", image("GIF", Image.new("P", (30, 20)), transparency=0),
         lambda v: v.getpixel((0, 0)) == (255, 255, 255)),
    Case("image", "one pixel", image("PNG", Image.new("RGB", (1, 1), "red")), rgb(1, 1)),
    Case("image", "one pixel high", image("PNG", Image.new("L", (3000, 1))), rgb(3000, 1)),
    Case("image", "AVIF", image("AVIF"), rgb()),
    Case("image", "JPEG 2000", image("JPEG2000"), rgb()),
    Case("image", "decompression bomb, 60,000 x 60,000", bomb, "bomb"),
    Case("image", "truncated JPEG", cut(image("JPEG"), 0.6), "damaged image"),
    Case("image", "truncated PNG", cut(image("PNG"), 0.5), "damaged image"),
    Case("image", "empty file", lambda: b"", "empty file"),
    Case("image", "text named .png", lambda: b"hello, I am text", "not an image"),
    Case("image", "HTML error page named .jpg", lambda: b"<!DOCTYPE html><html>404</html>", "not an image"),
    Case("image", "a sound named .png", sound(), "not an image"),
    *(Case("audio", f"{rate} Hz", sound(TONE[: rate // 2], rate), heard(rate, min(0.5, 8000 / rate))) for rate in (8000, 44100, 192000)),
    Case("audio", "8 bits", eight_bit_wav, heard(8000, 1.0)),
    *(Case("audio", f"WAV, {kind}", sound(subtype=kind), heard(16000)) for kind in ("PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE", "ULAW", "IMA_ADPCM")),
    Case("audio", "two channels", sound(STEREO), heard(16000)),
    Case("audio", "six channels", sound(np.repeat(TONE[:, None], 6, axis=1)), heard(16000)),
    Case("audio", "FLAC", sound(kind="FLAC"), heard(16000)),
    Case("audio", "OGG Vorbis", sound(kind="OGG", subtype="VORBIS"), heard(16000)),
    Case("audio", "MP3", sound(kind="MP3"), heard(16000)),
    Case("audio", "AIFF", sound(kind="AIFF"), heard(16000)),
    Case("audio", "M4A (AAC)", lambda: film("mp4", frames=0), heard(16000, 2.0)),
    Case("audio", "the sound track of an MP4", lambda: film(), heard(16000, 2.0)),
    Case("audio", "one sample", sound(TONE[5:6]), lambda v: len(v.samples) == 1),
    Case("audio", "no samples", sound(TONE[:0]), "no samples"),
    Case("audio", "NaN in the samples", sound(np.array([0, np.nan], np.float32), subtype="FLOAT"), "NaN"),
    Case("audio", "eleven minutes", sound(np.zeros(660 * 8000, np.int16), 8000, subtype="PCM_U8"), "more than the limit of 600 s"),
    Case("audio", "truncated WAV", cut(sound(), 0.5), "truncated WAV"),
    Case("audio", "noise named .mp3", lambda: bytes(range(256)) * 3, "not a sound"),
    Case("audio", "empty file", lambda: b"", "empty file"),
    Case("audio", "a film without sound named .m4a", lambda: film(sound=""), "without a sound track"),
    Case("video", "MP4 with sound", lambda: film(), seen(1, True)),
    Case("video", "MP4 without a sound track", lambda: film(sound=""), seen(1, False)),
    Case("video", "sound only", lambda: film(frames=0), seen(0, True)),
    Case("video", "MKV", lambda: film("mkv", "mpeg4"), seen(1, True)),
    Case("video", "WebM (VP8, Vorbis or Opus)", lambda: film("webm", "libvpx", sound="libopus"), seen(1, True)),
    Case("video", "AVI (MJPEG)", lambda: film("avi", "mpeg4", sound="mp3"), seen(1, True)),
    Case("video", "variable frame rate", lambda: film(uneven=True), seen(1, True)),
    Case("video", "one frame", lambda: film(frames=1, sound=""), seen(1, False)),
    Case("video", "cut off before its index", cut(lambda: film(), 0.5), "truncated MP4"),
    Case("video", "text named .mp4", lambda: b"hello, I am text" * 20, "FFmpeg"),
    Case("video", "empty file", lambda: b"", "FFmpeg"),
    Case("series", "CSV with a header and gaps", lambda: b"time,a,b\n0,1,\n.5,,4\n1,3,6\n",
         lambda v: v.rate == 2 and v.values.tolist() == [[1, 4], [2, 4], [3, 6]]),
    Case("series", "CSV without a header, semicolons", lambda: b"1;2\n3;4\n", lambda v: v.values.tolist() == [[1, 2], [3, 4]]),
    Case("series", "CSV with uneven times", lambda: b"t,x\n0,0\n1,1\n2,2\n4,4\n", lambda v: v.values[:, 0].tolist() == [0, 1, 2, 3, 4]),
    Case("series", "CSV with dates", lambda: b"timestamp,x\n2026-01-01 00:00:00,1\n2026-01-01 00:00:10,2\n",
         lambda v: abs(v.rate - 0.1) < 1e-9),
    Case("series", "dates as they are written in Germany, decimal commas", lambda: b"Zeit;x\n31.12.2025 23:59:59,5;1,5\n01.01.2026 00:00:00,0;2,5\n",
         lambda v: (v.values.tolist(), v.rate) == ([[1.5], [2.5]], 2.0)),
    Case("series", "a date and a time of day in two columns", lambda: b"Date;Time;x\n16/12/2006;17:24:00;1\n16/12/2006;17:25:00;2\n",
         lambda v: v.values.shape == (2, 1) and abs(v.rate * 60 - 1) < 1e-9),
    Case("series", "CSV with `Time [ms]`", lambda: b"Time [ms],x\n0,1\n20,2\n40,3\n", lambda v: v.values.shape == (3, 1) and v.rate == 50),
    Case("series", "units in a line of their own", lambda: b"time\tx\n[ms]\t[g]\n0\t1\n20\t2\n", lambda v: v.values.shape == (2, 1) and v.rate == 50),
    Case("series", "an index that pandas wrote", lambda: b",ax,ay\n0,1,2\n1,3,4\n", lambda v: v.values.tolist() == [[1, 2], [3, 4]]),
    Case("series", "an index of moments that pandas wrote", lambda: b",x\n2026-01-01 00:00:00,1\n2026-01-01 00:00:01,2\n",
         lambda v: v.values.shape == (2, 1) and v.rate == 1),
    Case("series", "numbers between runs of blanks", lambda: b"  1.0e+00  2.0e+00\n  3.0e+00 -4.0e+00\n", lambda v: v.values.tolist() == [[1, 2], [3, -4]]),
    Case("series", "marks at the ends of lines", lambda: b"1;2;\n3;4;\n", lambda v: v.values.tolist() == [[1, 2], [3, 4]]),
    Case("series", "comments, the last of them the headings", lambda: b"# a logger\n# time x\n0.0 1\n0.5 2\n",
         lambda v: (v.values.tolist(), v.rate) == ([[1], [2]], 2.0)),
    Case("series", "UTF-16", lambda: "x,y\n1,2\n3,4\n".encode("utf-16"), lambda v: v.values.tolist() == [[1, 2], [3, 4]]),
    Case("series", "CSV with infinite values", lambda: b"x,y\n1,inf\n2,3\n", lambda v: v.values[:, 1].tolist() == [3, 3]),
    Case("series", "CSV of words", lambda: b"a,b\nx,y\n", "holds string"),
    Case("series", "CSV whose time goes back", lambda: b"time,x\n1,2\n0,3\n", "time goes backwards at row 2"),
    Case("series", "CSV with a row too long", lambda: b"a,b\n1,2\n1,2,3\n", "not a table of numbers"),
    Case("series", "CSV with a header only", lambda: b"a,b\n", "no numbers"),
    Case("series", "all values missing", lambda: b"a\nnan\nnan\n", "all values are missing"),
    Case("series", "NPY, one channel", npy(np.arange(5)), lambda v: v.values.shape == (5, 1) and v.rate is None),
    Case("series", "NPY of Python objects", npy(np.array([{}], dtype=object)), "NPY of Python objects"),
    Case("series", "NPY in three dimensions", npy(np.zeros((2, 2, 2))), "not float64 (2, 2, 2)"),
    Case("series", "NPY whose header claims 80 GB", lambda: _header((10**7, 10**3)), "more than the limit"),
    Case("series", "truncated NPY", cut(npy(np.zeros((50, 4))), 0.5), "damaged NPY"),
    Case("series", "Parquet", parquet({"time": [0.0, 0.1], "x": [1, 2]}), lambda v: round(v.rate) == 10),
    Case("series", "Parquet with words", parquet({"x": ["a", "b"]}), "holds string"),
    Case("series", "truncated Parquet", cut(parquet({"x": [1.0] * 50}), 0.7), "damaged Parquet"),
    Case("text", "not UTF-8", lambda: "größer".encode("latin-1"), "not UTF-8"),
    Case("text", "UTF-8 with a mark at its beginning", lambda: "\ufeffeine Straße".encode(), lambda v: v == "eine Straße"),
    Case("text", "white space only", lambda: b" \n\t ", "empty text"),
    Case("text", "two megabytes", lambda: b"a" * (2 << 20), "larger than 1 MiB"),
]  # fmt: skip
