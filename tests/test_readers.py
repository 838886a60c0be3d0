"""From bytes to values: what is read, and what is refused by name."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
import soundfile
from PIL import Image

from textanchor import registry
from textanchor.data.decoding import content_hash, decode
from textanchor.data.readers import Reader, guess_modality, reader
from textanchor.encoders import parse
from textanchor.errors import ItemError
from textanchor.records import Item, Waveform
from textanchor.runtime import Limits


def png(image: Image.Image, kind: str = "PNG", **how: object) -> bytes:
    out = io.BytesIO()
    image.save(out, format=kind, **how)
    return out.getvalue()


def wav(samples: np.ndarray, rate: int = 8000, **how: str) -> bytes:
    out = io.BytesIO()
    soundfile.write(out, samples, rate, format=how.get("format", "WAV"), subtype=how.get("subtype", "PCM_16"))
    return out.getvalue()


NOISE = Image.fromarray(np.random.default_rng(0).integers(0, 256, (20, 30, 3), dtype=np.uint8))
TONE = np.sin(np.linspace(0, 300, 4000)).astype(np.float32) / 2


@pytest.mark.parametrize("name", registry.names("reader"))
def test_contract(name: str) -> None:
    held = reader(name)
    assert isinstance(held, Reader)
    assert held.modality == name
    assert all(ending == ending.lower() and ending.startswith(".") for ending in held.extensions)
    assert parse(held.default_encoder).name in {"signal", *registry.names("encoder")}
    for damaged in (b"", b"\x00\xff" * 40):
        with pytest.raises(ValueError, match=r".+") as caught:
            held.read(io.BytesIO(damaged), Limits())
        assert "\n" not in str(caught.value)
    with pytest.raises(ValueError, match=r".+"):
        held.accept(object())


def test_image_modes_become_upright_rgb() -> None:
    for mode in ("1", "L", "P", "RGB", "RGBA", "LA", "CMYK", "I;16"):
        source = NOISE.convert("L").convert(mode) if mode == "I;16" else NOISE.convert(mode)
        raw = png(source, "TIFF" if mode in ("CMYK", "I;16") else "PNG")
        found = reader("image").read(io.BytesIO(raw), Limits())
        assert (found.mode, found.size) == ("RGB", (30, 20)), mode


def test_rotation_flag_is_obeyed() -> None:
    flags = Image.Exif()
    flags[0x0112] = 6
    found = reader("image").read(io.BytesIO(png(NOISE, "JPEG", exif=flags)), Limits())
    assert found.size == (20, 30)


def test_transparent_pixels_become_white() -> None:
    clear = Image.new("RGBA", (4, 4), (255, 0, 0, 0))
    assert reader("image").read(io.BytesIO(png(clear)), Limits()).getpixel((0, 0)) == (255, 255, 255)


def test_sixteen_bits_become_eight() -> None:
    deep = Image.fromarray(np.full((4, 4), 0x80FF, dtype=np.uint16))
    assert reader("image").read(io.BytesIO(png(deep)), Limits()).getpixel((0, 0)) == (128, 128, 128)


@pytest.mark.parametrize("share", [0.3, 0.6, 0.95])
def test_truncated_png_is_named(share: float) -> None:
    raw = png(NOISE)
    with pytest.raises(ValueError, match="damaged image"):
        reader("image").read(io.BytesIO(raw[: int(len(raw) * share)]), Limits())


def test_text_named_png_is_named() -> None:
    with pytest.raises(ValueError, match=r"not an image of a format that is read: PNG, .+ \(begins with b'hello"):
        reader("image").read(io.BytesIO(b"hello, I am a text"), Limits())


def test_bomb_is_refused_before_it_is_decoded() -> None:
    raw = bytearray(png(Image.new("L", (1, 1))))
    raw[16:24] = struct.pack(">II", 60_000, 60_000)
    raw[29:33] = struct.pack(">I", zlib.crc32(bytes(raw[12:29])))
    with pytest.raises(ValueError, match=r"bomb|more than the limit"):
        reader("image").read(io.BytesIO(bytes(raw)), Limits())


def test_channels_are_averaged_and_the_rate_kept() -> None:
    both = np.stack([TONE, -TONE, TONE], axis=1)
    found = reader("audio").read(io.BytesIO(wav(both, 22050)), Limits())
    assert found.rate == 22050
    np.testing.assert_allclose(found.samples, TONE / 3, atol=1e-4)
    assert found.seconds == pytest.approx(4000 / 22050)


@pytest.mark.parametrize("how", [("WAV", "PCM_24"), ("WAV", "FLOAT"), ("WAV", "PCM_U8"), ("FLAC", "PCM_16"), ("OGG", "VORBIS")])
def test_sound_formats(how: tuple[str, str]) -> None:
    found = reader("audio").read(io.BytesIO(wav(TONE, format=how[0], subtype=how[1])), Limits())
    assert np.abs(found.samples[500:3500] - TONE[500:3500]).max() < 0.05


@pytest.mark.parametrize("share", [0.1, 0.5, 0.99])
def test_truncated_wav_is_named(share: float) -> None:
    raw = wav(TONE)
    with pytest.raises(ValueError, match="truncated WAV"):
        reader("audio").read(io.BytesIO(raw[: int(len(raw) * share)]), Limits())


def test_sound_of_nothing_or_not_a_number_is_named() -> None:
    with pytest.raises(ValueError, match="no samples"):
        reader("audio").read(io.BytesIO(wav(np.empty(0, np.float32))), Limits())
    with pytest.raises(ValueError, match="NaN"):
        reader("audio").read(io.BytesIO(wav(np.array([0, np.nan, 0], np.float32), subtype="FLOAT")), Limits())


def test_texts_are_stripped_and_never_empty() -> None:
    assert reader("document").read(io.BytesIO("\ufeff  eine Straße \n".encode()), Limits()) == "eine Straße"
    with pytest.raises(ValueError, match="empty text"):
        reader("text").read(io.BytesIO(b"  \n "), Limits())
    with pytest.raises(ValueError, match="not UTF-8"):
        reader("text").read(io.BytesIO("größer".encode("latin-1")), Limits())


def test_values_in_memory() -> None:
    assert reader("audio").accept((np.stack([TONE, TONE], 1), 8000)).samples.shape == (4000,)
    assert reader("image").accept(np.zeros((4, 5), np.uint8)).size == (5, 4)
    with pytest.raises(ValueError, match=r"samples \[t\] and a rate above 0"):
        reader("audio").accept(Waveform(samples=TONE, rate=0))


def test_content_is_the_bytes_and_nothing_else(tmp_path: Path) -> None:
    for name in ("one.png", "two.png"):
        (tmp_path / name).write_bytes(png(NOISE))
    one, two = (content_hash(Item(id=name, modality="image", path=tmp_path / name)) for name in ("one.png", "two.png"))
    assert one == two
    loud = content_hash(Item(id="a", modality="audio", value=Waveform(samples=TONE, rate=8000)))
    assert loud != content_hash(Item(id="a", modality="audio", value=Waveform(samples=TONE, rate=8001)))
    assert loud != content_hash(Item(id="a", modality="audio", value=Waveform(samples=TONE[:-1], rate=8000)))


def test_an_unreadable_item_is_one_line(tmp_path: Path) -> None:
    item = Item(id="gone", modality="image", path=tmp_path / "gone.png")
    with pytest.raises(ItemError, match="gone: No such file"):
        decode(item, Limits())
    with pytest.raises(ItemError, match="gone: No such file"):
        content_hash(item)
    with pytest.raises(ItemError, match="a text is a str, not int"):
        content_hash(Item(id="n", modality="text", value=3))


def test_modality_is_guessed_from_the_ending() -> None:
    assert guess_modality(Path("a/B.JPEG")) == "image"
    assert guess_modality(Path("a.flac")) == "audio"
    assert guess_modality(Path("a.txt")) == "text"
    assert guess_modality(Path("a.csv")) is None
