"""Odd and hostile files: none crashes, none is silent, and the docs list them all."""

from __future__ import annotations

import io
import random
import re
import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from conftest import ROOT
from media_kinds import KINDS
from odd_files import CASES, NOISE, TONE, Case, film, image, sound
from textanchor.data.decoding import decode
from textanchor.data.readers import AbsentPart, reader
from textanchor.errors import InputError, ItemError
from textanchor.records import Item
from textanchor.runtime import Limits, Runtime

LIMITS = Limits()


@pytest.mark.parametrize("case", CASES, ids=[f"{case.modality}: {case.about}" for case in CASES])
def test_an_odd_file_is_read_or_refused_by_name(case: Case, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(case.make())
    item = Item(id="it", modality=case.modality, path=path)
    if isinstance(case.outcome, str):
        with pytest.raises(ItemError) as caught:
            decode(item, LIMITS)
        assert case.outcome in caught.value.reason
        assert "\n" not in caught.value.reason
    else:
        assert case.outcome(decode(item, LIMITS))


def test_the_docs_list_every_case() -> None:
    text = (ROOT / "docs" / "files.md").read_text().split("| kind | file | outcome |")[1]
    rows = re.findall(r"^\| (\w+) \| (.+?) \| (.+?) \|$", text, re.M)
    assert [(one, two, three) for one, two, three in rows] == [
        (case.modality, case.about, case.told) for case in (*CASES, *KINDS)
    ], "run: python docs/generate_files.py"
    assert len(CASES) >= 40


def test_limits_can_be_raised_and_lowered(tmp_path: Path) -> None:
    long, large, path = tmp_path / "long.wav", tmp_path / "large.png", tmp_path / "film.mp4"
    long.write_bytes(sound(np.zeros(660 * 8000, np.int16), 8000, subtype="PCM_U8")())
    large.write_bytes(image("PNG", NOISE.resize((300, 200)))())
    path.write_bytes(film())
    with pytest.raises(ItemError, match="660 s long, more than the limit of 600 s"):
        decode(Item(id="a", modality="audio", path=long), LIMITS)
    assert decode(Item(id="a", modality="audio", path=long), Limits(seconds=700)).seconds == 660
    with pytest.raises(ItemError, match=r"300 x 200 pixels, more than the limit of 50,000; raise it with --max-pixels"):
        decode(Item(id="a", modality="image", path=large), Limits(pixels=50_000))
    with pytest.raises(ItemError, match=r"2 s long, more than the limit of 1 s; raise it with --max-seconds"):
        decode(Item(id="a", modality="video", path=path), Limits(seconds=1))


def test_the_environment_is_asked_when_limits_are_made_and_never_by_a_reader(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.png").write_bytes(image("PNG", NOISE.resize((300, 200)))())
    item = Item(id="a", modality="image", path=tmp_path / "a.png")
    monkeypatch.setenv("TEXTANCHOR_MAX_PIXELS", "50000")
    assert decode(item, LIMITS).size == (300, 200)
    with pytest.raises(ItemError, match="more than the limit of 50,000"):
        decode(item, Runtime().limits)
    monkeypatch.setenv("TEXTANCHOR_MAX_PIXELS", "many")
    with pytest.raises(InputError, match="TEXTANCHOR_MAX_PIXELS=many: expected a whole number"):
        Runtime()
    assert decode(item, LIMITS).size == (300, 200)


def test_a_series_is_limited_by_its_numbers_and_not_by_pixels(tmp_path: Path) -> None:
    path = tmp_path / "s.npy"
    np.save(path, np.zeros((100, 3)))
    item = Item(id="s", modality="series", path=path)
    assert decode(item, Limits(pixels=10)).values.shape == (100, 3)
    with pytest.raises(ItemError, match=r"300 numbers, more than the limit of 299; raise it with --max-numbers"):
        decode(item, Limits(numbers=299))


def test_two_clients_of_one_process_have_limits_of_their_own(tmp_path: Path) -> None:
    (tmp_path / "small.png").write_bytes(image("PNG", NOISE.resize((300, 200)))())
    item = Item(id="a", modality="image", path=tmp_path / "small.png")

    def client(number: int) -> bool:
        limits = Limits(pixels=50_000) if number % 2 else Limits(pixels=300_000_000)
        try:
            return decode(item, limits).size == (300, 200)
        except ItemError:
            return False

    before, filters = Image.MAX_IMAGE_PIXELS, list(warnings.filters)
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(client, range(200)))
    assert answers == [number % 2 == 0 for number in range(200)]
    assert before == Image.MAX_IMAGE_PIXELS, "Pillow's own limit is what it was"
    assert filters == warnings.filters, "and so is what the process says of warnings"


def test_a_raised_limit_is_above_pillows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "large.png").write_bytes(image("PNG", NOISE.resize((300, 200)))())
    item = Item(id="a", modality="image", path=tmp_path / "large.png")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)
    with pytest.raises(ItemError, match="refused as a decompression bomb"):
        decode(item, Limits(pixels=2000))
    with pytest.raises(ItemError, match="--max-pixels"):  # between once and twice the limit Pillow only warns
        decode(item, Limits(pixels=40_000))
    assert decode(item, Limits(pixels=60_000)).size == (300, 200)
    assert Image.MAX_IMAGE_PIXELS == 1000


@pytest.fixture
def part(tmp_path: Path) -> Callable[..., Any]:
    def take(name: str, **how: Any) -> Any:
        return reader("video").read_part(io.BytesIO(film(**how)), name, LIMITS)  # type: ignore[attr-defined]

    return take


def grey(frame: Any) -> float:
    return float(np.asarray(frame, dtype=np.float32).mean())


def test_frames_are_taken_by_time_not_by_number(part: Callable[..., Any]) -> None:
    even = [grey(part(f"frame:uniform:4:{row}")) for row in range(4)]
    assert even == sorted(even)
    np.testing.assert_allclose(even, [255 * (row + 0.5) / 4 for row in range(4)], atol=25)
    assert grey(part("frame:first:1:0")) < 10
    uneven = grey(part("frame:uniform:1:0", uneven=True))  # half the time is 17 of 24 frames of growing length
    assert uneven == pytest.approx(255 * 0.69, abs=20)


def test_scenes_fall_back_to_even_stretches(part: Callable[..., Any]) -> None:
    assert grey(part("frame:scene:2:0")) < grey(part("frame:scene:2:1"))


def test_what_a_video_lacks_is_absent_not_damaged(part: Callable[..., Any]) -> None:
    with pytest.raises(AbsentPart, match="no sound track"):
        part("sound", sound="")
    with pytest.raises(AbsentPart, match="no picture"):
        part("frame:first:1:0", frames=0)
    assert part("sound").seconds == pytest.approx(2, abs=0.1)


def test_a_plan_is_checked() -> None:
    held: Any = reader("video")
    assert [kind for _, kind in held.parts("uniform:2+sound")] == ["image", "image", "audio"]
    for wrong in ("", "uniform:0", "first:2", "uniform:9999", "frames:3", "sound+"):
        with pytest.raises(InputError, match="expected first, uniform:4 or scene:4"):
            held.parts(wrong)


def test_long_sounds_keep_their_samples_block_by_block() -> None:
    long = np.tile(TONE, 100)
    found = reader("audio").read(io.BytesIO(sound(np.stack([long, long], 1), 16000, subtype="FLOAT")()), LIMITS)
    np.testing.assert_allclose(found.samples, long, atol=1e-6)


def test_mutated_files_are_read_or_refused(tmp_path: Path) -> None:
    """Bytes changed, cut out and put in at random: whatever a decoder stumbles over becomes one line."""
    rng, path, reasons = random.Random(0), tmp_path / "file", list[str]()
    sound_files = [(case.modality, case.make()) for case in CASES if not isinstance(case.outcome, str)]
    for _ in range(600):
        modality, raw = rng.choice([one for one in sound_files if len(one[1]) < 100_000])
        held = bytearray(raw)
        for _ in range(rng.choice((1, 5, 50))):
            place = rng.randrange(len(held))
            if rng.random() < 0.7:
                held[place] = rng.randrange(256)
            else:
                held[place : place + rng.choice((0, 4, 50))] = rng.randbytes(rng.choice((0, 4, 50)))
            held = held or bytearray(b"x")
        path.write_bytes(held)
        try:
            decode(Item(id="it", modality=modality, path=path), LIMITS)
        except ItemError as why:
            reasons.append(why.reason)
    assert 100 < len(reasons) < 600
    assert not any("\n" in reason for reason in reasons)
