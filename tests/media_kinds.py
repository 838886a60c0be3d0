"""Kinds of faulty media, each with the right value: lengths that lie, files cut off, metadata beside the pixels, ranges.

They are `Case`s as in odd_files.py, and stand in docs/files.md with them.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable

import numpy as np

from media_made import (
    FAST,
    LONG,
    PICTURE,
    RATE,
    chunk,
    deep,
    exactly,
    exif,
    flac_of,
    from_black_to_white,
    heard_for,
    lying,
    muxed,
    noise,
    pictured,
    png,
    ramp,
    saved,
    tiff,
    told,
)
from odd_files import Case, cut, sound

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
    Case("image", "unsigned integers of 32 bits", tiff(0, 2**32 - 1, "<u4", 1), from_black_to_white),
    Case("image", "signed integers of 16 bits", tiff(-1000, 1000, "<i2", 2), from_black_to_white),
    Case("image", "signed integers of 8 bits", tiff(-100, 100, "i1", 2), from_black_to_white),
    Case("image", "12 bits in 16, 0 is white", tiff(4095, 0, "<u2", 1, meaning=0), from_black_to_white),
    Case("image", "floating point of 64 bits, which Pillow does not know", tiff(0, 1, "<f8", 3), "does not know"),
    *(Case("image", f"a mask of 0 and 1, {kind}", lambda kind=kind: saved(MASK.astype(kind)),  # type: ignore[misc]
           lambda v: set(np.unique(np.asarray(v))) == {0, 255}) for kind in ("u1", "u2", "i4", "f4")),
    Case("image", "PostScript named .png", lambda: b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "not an image"),
    *(Case("image", f"{kind} named .png", lambda kind=kind: saved(PICTURE, kind), "not an image")  # type: ignore[misc]
      for kind in ("ICO", "PCX", "TGA", "SGI")),
    *(Case("video", f"{kind}, cut off", cut(make, 0.6), "truncated") for kind, make in CUT_FILMS.items()),
    *(Case("video", f"{about} named .mp4", lambda raw=raw: raw, "FFmpeg") for about, raw in LISTS.items()),  # type: ignore[misc]
]  # fmt: skip
