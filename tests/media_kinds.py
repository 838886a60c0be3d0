"""Kinds of faulty media, each with the right value: lengths that lie, files cut off, metadata beside the pixels, ranges.

They are `Case`s as in odd_files.py, and stand in docs/files.md with them.
"""

from __future__ import annotations

import io
import shutil
import struct
import tempfile
import zlib
from collections.abc import Callable
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from odd_files import Case, cut, sound

RATE, LONG = 16000, np.random.default_rng(1).standard_normal(48000).astype(np.float32) / 10
ROWS, COLUMNS = np.mgrid[0:60, 0:90]
PICTURE = np.stack([COLUMNS * 255 // 89, ROWS * 255 // 59, 128 + 0 * COLUMNS], -1).astype(np.uint8)
FAST = {"movflags": "faststart"}


@lru_cache
def muxed(
    kind: str,
    picture: str = "",
    voice: str = "",
    *,
    rate: int = RATE,
    per_second: int = 12,
    size: tuple[int, int] = (64, 48),
    first: int = 0,
    seconds: float = 2.0,
    **options: str,
) -> bytes:
    """A film from black to white of two seconds, noise of so many, or both, as FFmpeg writes it; `options` of its muxer."""
    import av

    place = Path(tempfile.mkdtemp()) / "film"  # FFmpeg reads again what it wrote, to put an index first
    with av.open(str(place), "w", format=kind, options=options) as container:
        film = container.add_stream(picture, rate=per_second) if picture else None
        track = container.add_stream(voice, rate=rate) if voice else None
        if film is not None:
            film.width, film.height = size
            film.pix_fmt = "yuvj420p" if picture == "mjpeg" else "yuv420p"
            for number in range(2 * per_second):
                level = number * 255 // (2 * per_second - 1)
                frame = av.VideoFrame.from_ndarray(np.full((size[1], size[0], 3), level, np.uint8), "rgb24")
                frame.pts, frame.time_base = number + first, Fraction(1, per_second)
                container.mux(film.encode(frame))
            container.mux(film.encode())
        if track is not None:
            track.bit_rate = 64000
            noise = (np.resize(LONG, int(rate * seconds)) * 32767).astype(np.int16)
            for start in range(0, len(noise), 960):
                part = av.AudioFrame.from_ndarray(noise[None, start : start + 960], "s16", "mono")
                part.rate, part.pts, part.time_base = rate, start, Fraction(1, rate)
                container.mux(track.encode(part))
            container.mux(track.encode())
    raw = place.read_bytes()
    shutil.rmtree(place.parent)
    return raw


def noise(kind: str, subtype: str | None = None) -> Callable[[], bytes]:
    return sound(LONG, RATE, kind, subtype)


def told(
    make: Callable[[], bytes], mark: bytes, offset: int, form: str, value: float, *more: tuple[int, str, int]
) -> Callable[[], bytes]:
    """A file with another value so many bytes after a mark, and others at fixed places."""

    def changed() -> bytes:
        raw = bytearray(make())
        struct.pack_into(form, raw, raw.index(mark) + len(mark) + offset, value)
        for at, kind, what in more:
            struct.pack_into(kind, raw, at, what)
        return bytes(raw)

    return changed


def flac_of(frames: int) -> Callable[[], bytes]:
    """A FLAC whose header says so many frames."""

    def changed() -> bytes:
        raw = bytearray(noise("FLAC")())
        raw[18:26] = (int.from_bytes(raw[18:26], "big") >> 36 << 36 | frames).to_bytes(8, "big")
        return bytes(raw)

    return changed


def exactly(value: Any) -> bool:
    """All samples, and those that were written."""
    return value.rate == RATE and len(value.samples) == len(LONG) and float(np.abs(value.samples - LONG).max()) < 2e-4


def heard_for(seconds: float, rate: int = RATE) -> Callable[[Any], bool]:
    """Noise for so long to its end: nothing else is put in for what is missing."""
    return lambda v: (
        v.rate == rate and abs(v.seconds - seconds) < 0.15 and 0.05 < float(np.sqrt((v.samples[-2000:] ** 2).mean())) < 0.2
    )


def chunk(name: bytes, data: bytes, wrong: int = 0) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data) ^ wrong)


def png(*before: bytes, pixels: np.ndarray = PICTURE, after: bytes = b"", end: bytes = chunk(b"IEND", b"")) -> bytes:
    """RGB or RGBA pixels of 8 or 16 bits between other chunks."""
    deep = pixels.dtype == np.uint16
    rows = b"".join(b"\0" + row.astype(">u2" if deep else "u1").tobytes() for row in pixels)
    head = struct.pack(">IIBBBBB", pixels.shape[1], pixels.shape[0], 16 if deep else 8, {3: 2, 4: 6}[pixels.shape[2]], 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + b"".join(before) + chunk(b"IDAT", zlib.compress(rows)) + after + end


def exif(*entries: tuple[int, int, int, bytes], turned: int = 6) -> bytes:
    """A block of EXIF: the orientation, and what else it is said to hold."""
    entries = ((0x112, 3, 1, struct.pack("<HH", turned, 0)), *entries)
    head, data = struct.pack("<H", len(entries)), b""
    for tag, kind, count, value in entries:
        place = struct.pack("<I", 8 + 2 + 12 * len(entries) + 4 + len(data))
        head += struct.pack("<HHI", tag, kind, count) + (value if len(value) == 4 else place)
        data += value if len(value) != 4 else b""
    return b"Exif\0\0II*\0" + struct.pack("<I", 8) + head + bytes(4) + data


def lying(kind: str, block: bytes) -> Callable[[], bytes]:
    """The picture, lying on its side, with a block of EXIF that says so."""

    def make() -> bytes:
        out = io.BytesIO()
        how: dict[str, Any] = {"JPEG": {"quality": 95}, "WEBP": {"lossless": True}}.get(kind, {})
        Image.fromarray(PICTURE).transpose(Image.Transpose.ROTATE_90).save(out, kind, exif=block, **how)
        return out.getvalue()

    return make


def pictured(value: Any) -> bool:
    """The plain picture, upright."""
    return value.size == (90, 60) and float(np.abs(np.asarray(value, dtype=int) - PICTURE).mean()) < 3


def ramp(low: float, high: float, kind: str, form: str = "TIFF") -> Callable[[], bytes]:
    def make() -> bytes:
        out = io.BytesIO()
        Image.fromarray(np.tile(np.linspace(low, high, 90).astype(kind), (60, 1))).save(out, form)
        return out.getvalue()

    return make


def from_black_to_white(value: Any) -> bool:
    row = np.asarray(value, dtype=float)[30, :, 0]
    return bool((np.diff(row) >= 0).all()) and row[0] == 0 and row[-1] > 240 and 115 < row.mean() < 140


def deep(high: int, channels: int = 3) -> Callable[[], bytes]:
    pixels = np.tile(np.linspace(0, high, 90).astype(np.uint16)[None, :, None], (60, 1, channels))
    if channels == 4:
        pixels[..., 3] = 65535
    return lambda: png(pixels=pixels)


BIG = zlib.compress(b"a" * (3 << 20))
MASK = (np.arange(5400).reshape(60, 90) % 2).astype(np.uint8)
XMP = chunk(b"iTXt", b'XML:com.adobe.xmp\0\0\0\0\0<rdf:Description tiff:Orientation="6"/>')
SIDEWAYS = np.ascontiguousarray(np.rot90(PICTURE))
BLOCKS: dict[str, tuple[int, int, int, bytes]] = {
    "a negative rational": (0x11A, 10, 1, struct.pack("<ii", -1, 0)),
    "a rational over 0": (0x11A, 5, 1, struct.pack("<II", 0, 0)),
    "a type that does not exist": (0x9000, 99, 1, b"abcd"),
    "a value beyond the end": (0x10F, 2, 100, b"\xff\xff\xff\x7f"),
    "a count of 2^31": (0x10F, 2, 0x7FFFFFFF, b"\0\0\0\1"),
    "a directory beyond the end": (0x8769, 4, 1, struct.pack("<I", 1 << 30)),
    "a directory that holds itself": (0x8825, 4, 1, struct.pack("<I", 8)),
}
BESIDE: dict[str, bytes] = {
    "3 MB of comment (zTXt)": chunk(b"zTXt", b"Comment\0\0" + BIG),
    "3 MB of XMP (iTXt)": chunk(b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + BIG),
    "3 MB of profile (iCCP)": chunk(b"iCCP", b"p\0\0" + BIG),
    "300 MB of profile in 300 kB": chunk(b"iCCP", b"p\0\0" + zlib.compress(b"a" * (300 << 20))),
    "a comment with a bad checksum": chunk(b"tEXt", b"a\0b", 1),
    "a chunk of its own with a bad checksum": chunk(b"prVt", b"x" * 99, 5),
    "transparency with a bad checksum": chunk(b"tRNS", bytes(6), 1),
    "a profile that is none": chunk(b"iCCP", b"p\0\0zzzz"),
    "chunks that are too short": chunk(b"pHYs", b"a") + chunk(b"gAMA", b"") + chunk(b"tIME", b"a") + chunk(b"tRNS", b"\0"),
    "EXIF that is none": chunk(b"eXIf", b"zzz"),
}
WAV, AIFF, AU, CAF, W64, RF64 = (noise(kind) for kind in ("WAV", "AIFF", "AU", "CAF", "W64", "RF64"))
FOLLOWED = b"LIST" + struct.pack("<I", 18) + b"INFOISFT\6\0\0\0hello\0"
CUT = {
    "AIFF": AIFF, "AU": AU, "CAF": CAF, "W64": W64, "RF64": RF64, "FLAC": noise("FLAC"), "MP3": noise("MP3"),
    "OGG Vorbis": noise("OGG", "VORBIS"), "Opus": noise("OGG", "OPUS"), "CAF (ALAC)": noise("CAF", "ALAC_16"),
    "AIFF (u-law)": noise("AIFF", "ULAW"), "WAV (ADPCM)": noise("WAV", "IMA_ADPCM"),
    "M4A": lambda: muxed("mp4", voice="aac", **FAST), "fragmented M4A": lambda: muxed(
        "mp4", voice="aac", movflags="frag_keyframe+empty_moov", frag_duration="300000"),
    "MKA": lambda: muxed("matroska", voice="aac"), "WebM": lambda: muxed("webm", voice="libopus", rate=48000),
    "WMA": lambda: muxed("asf", voice="wmav2", rate=44100), "AAC": lambda: muxed("adts", voice="aac"),
    "FLAC in OGG": lambda: muxed("ogg", voice="flac"), "AVI": lambda: muxed("avi", "mpeg4", "mp3"),
    "FLV": lambda: muxed("flv", "libx264", "aac", rate=44100),
}  # fmt: skip
CUT_FILMS = {
    "MP4": lambda: muxed("mp4", "libx264", **FAST), "MKV": lambda: muxed("matroska", "libx264"), "FLV": CUT["FLV"],
    "AVI": lambda: muxed("avi", "mjpeg"), "WMV": lambda: muxed("asf", "wmv2"),
}  # fmt: skip
LIES: dict[str, Callable[[], bytes]] = {
    "WAV, written to a pipe (0)": told(WAV, b"data", 0, "<I", 0, (4, "<I", 0)),
    "WAV, written to a pipe (2^32 - 1)": told(WAV, b"data", 0, "<I", 0xFFFFFFFF, (4, "<I", 0xFFFFFFFF)),
    "WAV, never updated (2^31 - 1)": told(WAV, b"data", 0, "<I", 0x7FFFFFFF, (4, "<I", 0x7FFFFFFF)),
    "WAV, the size of the file as that of its sound": told(WAV, b"data", 0, "<I", 96044),
    "WAV, half the size of its sound": told(WAV, b"data", 0, "<I", 48000),
    "WAV, a first size of 0": told(WAV, b"RIFF", 0, "<I", 0),
    "WAV, followed by a list, cut in it": lambda: told(lambda: WAV() + FOLLOWED, b"RIFF", 0, "<I", 96062)()[:-5],
    "RF64, sizes of 0": told(RF64, b"ds64", 12, "<Q", 0),
    "RF64, sizes of 2^64 - 1": told(RF64, b"ds64", 12, "<Q", (1 << 64) - 1),
    "AIFF, written to a pipe (0)": told(AIFF, b"SSND", 0, ">I", 0, (4, ">I", 0)),
    "AIFF, written to a pipe (2^32 - 1)": told(AIFF, b"SSND", 0, ">I", 0xFFFFFFFF, (4, ">I", 0xFFFFFFFF)),
    "AIFF, no frames": told(AIFF, b"COMM", 6, ">I", 0),
    "AU, length unknown (2^32 - 1)": told(AU, b".snd", 4, ">I", 0xFFFFFFFF),
    "AU, length 0": told(AU, b".snd", 4, ">I", 0),
    "AU, half its length": told(AU, b".snd", 4, ">I", 48000),
    "CAF, length unknown (-1)": told(CAF, b"data", 0, ">q", -1),
    "CAF, length 0": told(CAF, b"data", 0, ">q", 0),
    "W64, length 0": told(W64, b"data\xf3\xac\xd3\x11\x8c\xd1\x00\xc0\x4f\x8e\xdb\x8a", 0, "<q", 0),
    "FLAC, length unknown (0)": flac_of(0),
    "FLAC, length unknown (2^36 - 1)": flac_of((1 << 36) - 1),
    "FLAC, half its length": flac_of(24000),
}
LISTS = {
    "list of files (concat)": b"ffconcat version 1.0\nfile other.wav\n",
    "playlist (HLS)": b"#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:5,\nother.wav\n#EXT-X-ENDLIST\n",
    "session description (SDP)": b"v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=audio 5004 RTP/AVP 0\n",
}
KINDS = [
    *(Case("audio", f"{kind}, cut off", cut(make, 0.6), "truncated") for kind, make in CUT.items()),
    *(Case("audio", about, make, exactly) for about, make in LIES.items()),
    *(Case("audio", f"{about} named .aac", lambda raw=raw: raw, "not a sound") for about, raw in LISTS.items()),  # type: ignore[misc]
    Case("audio", "WAV of GSM, which cannot be sought in", sound(LONG[:16000], 8000, "WAV", "GSM610"), heard_for(2, 8000)),
    Case("audio", "MP3 without a header of its length", lambda: muxed("mp3", voice="mp3", write_xing="0"), heard_for(2)),
    Case("audio", "two OGG files in one", lambda: 2 * noise("OGG", "VORBIS")(), heard_for(6)),
    Case("audio", "two OGG files in one, the second at half the rate",
         lambda: noise("OGG", "VORBIS")() + sound(LONG, RATE // 2, "OGG", "VORBIS")(), heard_for(9)),
    Case("audio", "two OGG files in one, Vorbis and Opus",
         lambda: noise("OGG", "VORBIS")() + noise("OGG", "OPUS")(), heard_for(6)),
    Case("audio", "two MP3 files in one, the second at half the rate",
         lambda: noise("MP3")() + sound(LONG, RATE // 2, "MP3")(), heard_for(9.2)),
    Case("audio", "AAC whose rate changes",
         lambda: muxed("adts", voice="aac") + muxed("adts", voice="aac", rate=8000), heard_for(4.3)),
    Case("audio", "sound in WebM", lambda: muxed("webm", voice="libopus", rate=48000), heard_for(2, 48000)),
    *(Case("image", f"JPEG, EXIF with {what}", lying("JPEG", exif(entry)), pictured) for what, entry in BLOCKS.items()),
    *(Case("image", f"{kind}, EXIF with a negative rational", lying(kind, exif(BLOCKS["a negative rational"])), pictured)
      for kind in ("PNG", "WEBP")),
    *(Case("image", f"PNG with {what}", lambda raw=raw: png(raw), pictured) for what, raw in BESIDE.items()),  # type: ignore[misc]
    Case("image", "PNG without its end", lambda: png(end=b""), pictured),
    Case("image", "PNG, a bad checksum after the pixels", lambda: png(after=chunk(b"tEXt", b"a\0b", 1)), pictured),
    Case("image", "PNG turned by XMP", lambda: png(XMP, pixels=SIDEWAYS), pictured),
    *(Case("image", f"{bits} bits in 16, {form}", ramp(0, 2**bits - 1, "u2", form), from_black_to_white)
      for bits in (8, 10, 12, 14, 16) for form in ("TIFF", "PNG")),
    *(Case("image", f"{bits} bits in 16, colours", deep(2**bits - 1), from_black_to_white) for bits in (10, 12, 14, 16)),
    Case("image", "12 bits in 16, colours and transparency", deep(4095, 4), from_black_to_white),
    *(Case("image", f"depth up to {high}", ramp(0, high, "u2"), from_black_to_white) for high in (4300, 5000, 8000)),
    *(Case("image", f"floating point in [{low}, {high}]", ramp(low, high, "f4"), from_black_to_white)
      for low, high in ((0, 1), (0, 1.02), (-0.02, 1.02), (0, 1.3), (0, 3), (0, 255), (0, 256), (0, 300), (0, 65535), (-1, 1))),
    Case("image", "signed integers", ramp(-1024, 3071, "i4"), from_black_to_white),
    *(Case("image", f"a mask of 0 and 1, {kind}", lambda kind=kind: _saved(MASK.astype(kind)),  # type: ignore[misc]
           lambda v: set(np.unique(np.asarray(v))) == {0, 255}) for kind in ("u1", "u2", "i4", "f4")),
    Case("image", "PostScript named .png", lambda: b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "not an image"),
    *(Case("image", f"{kind} named .png", lambda kind=kind: _saved(PICTURE, kind), "not an image")  # type: ignore[misc]
      for kind in ("ICO", "PCX", "TGA", "SGI")),
    *(Case("video", f"{kind}, cut off", cut(make, 0.6), "truncated") for kind, make in CUT_FILMS.items()),
    *(Case("video", f"{about} named .mp4", lambda raw=raw: raw, "FFmpeg") for about, raw in LISTS.items()),  # type: ignore[misc]
]  # fmt: skip


def _saved(pixels: np.ndarray, kind: str = "TIFF") -> bytes:
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, kind)
    return out.getvalue()
