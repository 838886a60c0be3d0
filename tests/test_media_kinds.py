"""Kinds of faulty media: each is read with the right values, or refused for the true reason."""

from __future__ import annotations

import io
import re
import struct
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image, ImageOps

from media_kinds import CUT, KINDS, LISTS
from media_made import PICTURE, RATE, exif, muxed, noise, told
from odd_files import Case, sound
from textanchor.cli import main
from textanchor.data.decoding import decode
from textanchor.data.pairs import read_collection
from textanchor.data.readers import reader
from textanchor.errors import ItemError
from textanchor.records import Item
from textanchor.runtime import Limits

LIMITS = Limits()


@pytest.mark.parametrize("case", KINDS, ids=[f"{case.modality}: {case.about}" for case in KINDS])
def test_a_kind_is_read_rightly_or_refused_by_name(case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "other.wav").write_bytes(sound()())  # what lists of files name
    (tmp_path / "file").write_bytes(case.make())
    item = Item(id="it", modality=case.modality, path=tmp_path / "file")
    if isinstance(case.outcome, str):
        with pytest.raises(ItemError) as caught:
            decode(item, LIMITS)
        assert case.outcome in caught.value.reason
        assert "\n" not in caught.value.reason
    else:
        assert case.outcome(decode(item, LIMITS))


@pytest.mark.parametrize("kind", CUT)
def test_a_sound_cut_anywhere_is_never_longer_than_what_is_there(kind: str) -> None:
    """Refused, or the beginning of the whole: no byte that was never in the file is heard, and twice the same is read."""
    raw, read = CUT[kind](), reader("audio").read
    whole = read(io.BytesIO(raw), LIMITS)
    for share in (0.35, 0.5, 0.77, 0.9):
        held = raw[: int(len(raw) * share)]
        _ = [np.full(48000, 0.7, np.float32) for _ in range(4)]  # what a busy process leaves on its heap
        try:
            found = [read(io.BytesIO(held), LIMITS).samples for _ in range(2)]
        except ValueError:
            continue
        assert len(found[0]) <= len(whole.samples)
        assert np.array_equal(*found)
        assert float(np.abs(found[0]).max()) < 0.69


def test_a_program_is_never_started_for_an_image(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "gs"
    program.write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    with pytest.raises(ValueError, match="not an image of a format that is read"):
        reader("image").read(io.BytesIO(next(case for case in KINDS if "PostScript" in case.about).make()), LIMITS)
    assert not (tmp_path / "ran").exists()


def test_lists_of_files_open_no_other_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where every format is tried, the first of them is the other file's sound."""
    from textanchor.data.readers import _media

    monkeypatch.chdir(tmp_path)
    (tmp_path / "other.wav").write_bytes(noise("WAV")())
    for raw in LISTS.values():
        with pytest.raises(ValueError, match="FFmpeg"), _media.container_in(io.BytesIO(raw)):
            pass
    assert not {"concat", "hls", "dash", "sdp", "rtsp", "image2", "lavfi", "tty"} & set(_media.FORMATS)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"])
@pytest.mark.parametrize("flag", range(1, 9))
def test_every_orientation_of_every_format(kind: str, flag: int) -> None:
    out, flags = io.BytesIO(), Image.Exif()
    flags[0x0112] = flag
    Image.fromarray(PICTURE).save(out, kind, exif=flags)
    with Image.open(io.BytesIO(out.getvalue())) as plain:
        right = np.asarray(ImageOps.exif_transpose(plain).convert("RGB"))
    assert np.array_equal(np.asarray(reader("image").read(io.BytesIO(out.getvalue()), LIMITS)), right)


def test_a_jpeg_keeps_its_colours_and_its_first_picture() -> None:
    for kind, how in (("JPEG", {}), ("MPO", {"save_all": True, "append_images": [Image.new("RGB", (90, 60), "red")]})):
        for mode in ("RGB", "CMYK") if kind == "JPEG" else ("RGB",):
            out = io.BytesIO()
            Image.fromarray(PICTURE).convert(mode).save(out, kind, quality=95, exif=exif(turned=1), **how)
            with Image.open(io.BytesIO(out.getvalue())) as plain:
                right = np.asarray(plain.convert("RGB"))
            assert np.array_equal(np.asarray(reader("image").read(io.BytesIO(out.getvalue()), LIMITS)), right), (kind, mode)


def greys(raw: bytes, plan: str = "uniform", count: int = 4) -> list[float]:
    held: Any = reader("video")
    parts = [held.read_part(io.BytesIO(raw), f"frame:{plan}:{count}:{row}", LIMITS) for row in range(count)]
    return [float(np.asarray(part, dtype=float).mean()) for part in parts]


FILMS: dict[str, Callable[[], bytes]] = {
    "MP4": lambda: muxed("mp4", "libx264"),
    "fragmented MP4": lambda: muxed("mp4", "libx264", movflags="frag_keyframe+empty_moov"),
    "MP4 with longer sound": lambda: muxed("mp4", "libx264", "aac", seconds=6.0),
    "MKV with longer sound": lambda: muxed("matroska", "libx264", "aac", seconds=6.0),
    "WebM of a recorder": lambda: muxed("webm", "libvpx", "libopus", rate=48000, live="1"),
    "WebM of a recorder with longer sound": lambda: muxed("webm", "libvpx", "libopus", rate=48000, live="1", seconds=6.0),
    "AVI": lambda: muxed("avi", "mjpeg"),
    "AVI whose sizes are 0": told(lambda: muxed("avi", "mjpeg"), b"movi", -8, "<I", 0, (4, "<I", 0)),
    "AVI without an index": lambda: muxed("avi", "mjpeg")[: muxed("avi", "mjpeg").index(b"idx1")],
    "FLV": lambda: muxed("flv", "libx264"),
    "FLV with sound": lambda: muxed("flv", "libx264", "aac", rate=44100, seconds=5.0),
    "FLV, a duration of 0": told(lambda: muxed("flv", "libx264"), b"duration", 1, ">d", 0.0),
    "FLV, a duration of 11 days": told(lambda: muxed("flv", "libx264"), b"duration", 1, ">d", 1e6),
    "FLV, a duration that is no number": told(lambda: muxed("flv", "libx264"), b"duration", 1, ">d", float("nan")),
    "MKV, a duration of 11 days": told(lambda: muxed("matroska", "libx264"), b"\x44\x89\x88", 0, ">d", 1e9),
    "MP4, a track of 40 times its length": told(lambda: muxed("mp4", "libx264"), b"mdhd", 16, ">I", 1024000),
    "MP4, a film of unknown length": told(lambda: muxed("mp4", "libx264"), b"mvhd", 16, ">I", 0xFFFFFFFF),
    "WMV": lambda: muxed("asf", "wmv2"),
    "MPEG transport stream that begins late": lambda: muxed("mpegts", "libx264", first=1000),
    "MPEG": lambda: muxed("mpeg", "mpeg2video", "mp2", rate=48000, per_second=25),
}


@pytest.mark.parametrize("kind", FILMS)
def test_frames_are_those_of_their_times_whatever_is_said_of_length(kind: str) -> None:
    np.testing.assert_allclose(greys(FILMS[kind]()), (32, 98, 166, 231), atol=12)


def test_scenes_of_a_film_without_a_duration() -> None:
    dark, light = greys(FILMS["WebM of a recorder"](), "scene", 2)
    assert dark < 110 < 150 < light


MATRICES = [
    (-1, 0, 0, 1),
    (1, 0, 0, -1),
    (-1, 0, 0, -1),
    (0, 1, 1, 0),
    (0, -1, -1, 0),
    (0, 1, -1, 0),
    (0, -1, 1, 0),
    (1, 0, 0, 1),
]


@pytest.mark.parametrize("matrix", MATRICES)
def test_a_display_matrix_turns_and_mirrors(matrix: tuple[int, int, int, int]) -> None:
    """The slow twin: every pixel (x, y) is put where the matrix says, (ax + cy, bx + dy), and the least place is 0."""
    import av

    out = io.BytesIO()
    with av.open(out, "w", format="mp4") as container:
        track = container.add_stream("libx264", rate=12, options={"crf": "1"})
        track.width, track.height, track.pix_fmt = 90, 60, "yuv420p"
        for packet in (*track.encode(av.VideoFrame.from_ndarray(PICTURE, "rgb24")), *track.encode()):
            container.mux(packet)
    a, b, c, d = matrix
    raw = bytearray(out.getvalue())
    struct.pack_into(">9i", raw, raw.index(b"tkhd") + 44, a << 16, b << 16, 0, c << 16, d << 16, 0, 0, 0, 1 << 30)
    held: Any = reader("video")
    found = np.asarray(held.read_part(io.BytesIO(raw), "frame:first:1:0", LIMITS), dtype=int)
    y, x = np.mgrid[0:60, 0:90]
    across, down = a * x + c * y, b * x + d * y
    right = np.zeros((60, 90, 3) if a else (90, 60, 3), dtype=int)
    right[down - down.min(), across - across.min()] = PICTURE
    assert found.shape == right.shape
    assert float(np.abs(found - right).mean()) < 6


def test_a_film_whose_size_changes() -> None:
    small = muxed("mpegts", "mpeg2video", per_second=25)
    large = muxed("mpegts", "mpeg2video", per_second=25, size=(96, 64), first=50)
    held: Any = reader("video")
    parts = [held.read_part(io.BytesIO(small + large), f"frame:uniform:4:{row}", LIMITS) for row in range(4)]
    assert [part.size for part in parts] == [(64, 48), (64, 48), (96, 64), (96, 64)]
    with pytest.raises(ValueError, match="--max-pixels"):
        held.read_part(io.BytesIO(small + large), "frame:uniform:4:3", Limits(pixels=64 * 48))


def test_a_limit_is_one_of_what_is_there_and_not_of_what_is_said() -> None:
    lie = told(lambda: muxed("flv", "libx264", "aac", rate=44100), b"duration", 1, ">d", 1e6)()
    held: Any = reader("video")
    assert held.read_part(io.BytesIO(lie), "sound", LIMITS).seconds == pytest.approx(2, abs=0.1)
    with pytest.raises(ValueError, match="2 s long, more than the limit of 1 s"):
        held.read_part(io.BytesIO(lie), "frame:first:1:0", Limits(seconds=1))
    for kind in ("FLAC", "OGG", "MP3", "AIFF"):
        with pytest.raises(ValueError, match="more than the limit of 2 s"):
            reader("audio").read(io.BytesIO(noise(kind)()), Limits(seconds=2))


@pytest.mark.parametrize("kind", ["WAV", "AIFF", "FLAC", "OGG", "MP3"])
def test_tags_in_front_of_a_sound_are_passed_over(kind: str) -> None:
    raw, read = sound(kind=kind)(), reader("audio").read
    tag = b"ID3\x04\x00\x00\x00\x00\x02\x01" + b"RIFF" + bytes(253)  # 7 bits a byte: 257 bytes
    footed = b"ID3\x04\x00\x10\x00\x00\x00\x0b" + bytes(11) + b"3DI\x04\x00\x10\x00\x00\x00\x0b"
    whole = read(io.BytesIO(raw), LIMITS)
    for front in (tag, footed, tag + tag)[: 1 if kind == "MP3" else 3]:
        found = read(io.BytesIO(front + raw), LIMITS)
        assert found.rate == whole.rate
        assert np.array_equal(found.samples, whole.samples)
    if kind in ("WAV", "AIFF"):
        with pytest.raises(ValueError, match=f"truncated {kind}"):
            read(io.BytesIO(tag + raw[: len(raw) // 2]), LIMITS)
    with pytest.raises(ValueError, match="not a sound"):
        read(io.BytesIO(tag), LIMITS)


def test_damage_in_a_flac_is_noticed() -> None:
    raw = bytearray(noise("FLAC")())
    raw[len(raw) // 2] ^= 0x55
    with pytest.raises(ValueError, match="damaged or truncated FLAC"):
        reader("audio").read(io.BytesIO(raw), LIMITS)


def test_the_second_link_of_a_chain_sounds_as_it_was_written() -> None:
    tone = np.sin(2 * np.pi * 300 * np.arange(8000) / 8000).astype(np.float32) / 2
    raw = sound(np.zeros(RATE, np.float32), RATE, "OGG", "VORBIS")() + sound(tone, 8000, "OGG", "VORBIS")()
    found = reader("audio").read(io.BytesIO(raw), LIMITS)
    assert found.rate == RATE
    second = found.samples[RATE + 2000 : RATE + 14000]
    assert np.abs(np.fft.rfft(second)).argmax() * RATE / len(second) == pytest.approx(300, abs=2)
    assert float(np.sqrt((second**2).mean())) == pytest.approx(0.5 / np.sqrt(2), rel=0.05)


@pytest.fixture
def notes(tmp_path: Path) -> Path:
    """A low and a high tone, in endings of films."""
    import av

    (tmp_path / "notes").mkdir()
    for name, pitch, voice, rate in (("low.webm", 150, "libopus", 48000), ("high.mp4", 3000, "aac", 44100)):
        samples = (np.sin(2 * np.pi * pitch * np.arange(rate) / rate) * 16000).astype(np.int16)
        with av.open(str(tmp_path / "notes" / name), "w") as container:
            track = container.add_stream(voice, rate=rate)
            for start in range(0, rate, 960):
                part = av.AudioFrame.from_ndarray(samples[None, start : start + 960], "s16", "mono")
                part.rate, part.pts, part.time_base = rate, start, Fraction(1, rate)
                container.mux(track.encode(part))
            container.mux(track.encode())
    return tmp_path / "notes"


def test_modality_says_what_an_ending_of_films_does_not(notes: Path) -> None:
    items, _ = read_collection(notes, modality="audio")
    assert [(item.id, item.modality) for item in items] == [("high.mp4", "audio"), ("low.webm", "audio")]
    items, _ = read_collection(notes)
    assert {item.modality for item in items} == {"video"}
    assert decode(items[0], LIMITS).sound.seconds == pytest.approx(1, abs=0.1)


def test_sounds_in_files_of_films_are_encoded_embedded_and_found(notes: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(notes.parent)
    for name, pitch in (("low hum", 150), ("high whistle", 3000), ("middle note", 700)):
        Path("train", name).mkdir(parents=True)
        for number in range(10):
            tone = np.sin(2 * np.pi * pitch * (1 + number / 100) * np.arange(8000) / 16000).astype(np.float32) / 2
            Path("train", name, f"{number}.wav").write_bytes(sound(tone, 16000)())

    def said(*asked: str) -> str:
        done = CliRunner().invoke(main, [*asked, "--cache", "cache"])
        assert done.exit_code == 0, done.output
        return done.output

    assert re.search(r"audio +2 +0 +0", said("encode", "notes", "--modality", "audio", "--encoder", "audio=signal"))
    said("fit", "train", "-o", "space", "--encoder", "audio=signal")
    assert "2 vectors" in said("embed", "notes", "--space", "space", "-o", "out.parquet", "--modality", "audio")
    found = said("search", "space", "high whistle", "--in", "notes", "--modality", "audio")
    assert re.search(r" 1 .+high\.mp4", found)
    asked = (
        "search",
        "space",
        "notes/low.webm",
        "--query-modality",
        "audio",
        "--in",
        "train",
        "--modality",
        "audio",
        "-k",
        "3",
    )
    assert said(*asked).count("low hum/") == 3
