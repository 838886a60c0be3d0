"""Test items that are training items saved again: other metadata, another format without loss, or a small loss."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from PIL import Image, PngImagePlugin

import textanchor
from conftest import CLASSES, picture, sound
from odd_files import film
from textanchor.data.pairs import read_pairs
from textanchor.data.readers import reader
from textanchor.records import Item
from textanchor.runtime import Limits, Runtime

Run = Callable[..., Any]


def with_a_note(path: Path) -> Path:
    note = PngImagePlugin.PngInfo()
    note.add_text("saved", "again")
    again = path.with_name(f"{path.stem}_note.png")
    Image.open(path).save(again, pnginfo=note)
    return again


def as_kind(kind: str, **how: Any) -> Callable[[Path], Path]:
    def save(path: Path) -> Path:
        again = path.with_name(f"{path.stem}_again.{kind}")
        Image.open(path).save(again, **how)
        return again

    return save


def as_flac(path: Path) -> Path:
    again = path.with_suffix(".flac")
    soundfile.write(again, *soundfile.read(path, dtype="int16"))
    return again


def with_more_bits(path: Path) -> Path:
    again = path.with_name(f"{path.stem}_24.wav")
    soundfile.write(again, *soundfile.read(path, dtype="int32"), subtype="PCM_24")
    return again


def write(folder: Path, again: Callable[[Path], Path] | None, *, sounds: bool = False, split: bool = True) -> Path:
    """A table of train and validation; of each third training item there is a copy in test, and other items are there too."""
    folder.mkdir(exist_ok=True)
    rows = []
    for kind in CLASSES:
        for seed in range(18):
            path = folder / f"{kind}_{seed}.{'wav' if sounds else 'png'}"
            if sounds:
                soundfile.write(path, sound(kind, seed), 8000)
            else:
                picture(kind, seed).save(path)
            side = "train" if seed < 10 else "val" if seed < 14 else "test"
            rows.append((path.name, kind, side))
            if again is not None and side == "train" and not seed % 3:
                rows.append((again(path).name, kind, "test"))
    with (folder / "pairs.csv").open("w", newline="") as stream:
        csv.writer(stream).writerows([("path", "text", *(["split"] if split else [])), *(row[: 2 + split] for row in rows)])
    return folder


@pytest.mark.parametrize(
    ("again", "sounds"),
    [
        (with_a_note, False),
        (as_kind("bmp"), False),
        (as_kind("tiff", compression="tiff_lzw"), False),
        (as_kind("webp", lossless=True), False),
        (as_flac, True),
        (with_more_bits, True),
    ],
)
def test_the_doctor_and_fit_say_that_test_is_train_saved_again(
    again: Callable[[Path], Path], sounds: bool, tmp_path: Path, run: Run
) -> None:
    data, cache = write(tmp_path / "data", again, sounds=sounds), tmp_path / "cache"
    done = run("doctor", data, "--strict", "--cache", cache)
    assert done.exit_code == 1
    assert "copies: 16 items are others saved again, the same once decoded" in done.stdout
    assert "leak     copies: 16 held-out items are others of an earlier side saved again, such as 'circle_0" in done.stdout
    assert "1 leak" in done.stdout, "what is a copy is no near-duplicate beside it"
    fitted = run("fit", data, "-o", tmp_path / "space", "--aligner", "ridge", "--cache", tmp_path / "other")
    assert fitted.exit_code == 0
    (warned,) = [line for line in fitted.stderr.splitlines() if "saved again" in line]
    assert warned.startswith("warning: 16 held-out items are others of an earlier side saved again, such as 'circle_0")
    assert "textanchor doctor" in warned
    assert "--merged grouped.csv, then fit grouped.csv with --resplit" in warned


def test_the_next_step_that_is_named_helps(tmp_path: Path, run: Run) -> None:
    data, table = write(tmp_path / "data", with_a_note), tmp_path / "grouped.csv"
    run("doctor", data, "--merged", table)
    done = run("doctor", table, "--resplit", "--strict")
    assert "held-out items" not in done.stdout
    assert "copies: 16 items are others saved again" in done.stdout, "within one side"
    fitted = run("fit", table, "--resplit", "-o", tmp_path / "space", "--aligner", "ridge")
    assert fitted.exit_code == 0
    assert "saved again" not in fitted.stderr


def test_sides_by_seed_are_looked_at_too(tmp_path: Path, run: Run) -> None:
    data = write(tmp_path / "data", with_a_note, split=False)
    done = run("doctor", data, "--strict")
    assert done.exit_code == 1
    assert "held-out item" in done.stdout


def test_clean_data_are_told_nothing(tmp_path: Path, run: Run) -> None:
    data = write(tmp_path / "data", None)
    assert "no item stands twice under different names" in run("doctor", data).stdout
    fitted = run("fit", data, "-o", tmp_path / "space", "--aligner", "ridge")
    assert "warning" not in fitted.stderr or "saved again" not in fitted.stderr


def test_copies_with_a_small_loss_leak_too(tmp_path: Path, run: Run) -> None:
    def enlarged(path: Path) -> Path:
        Image.open(path).resize((240, 240), Image.Resampling.BICUBIC).save(path)
        return as_kind("jpg", quality=90)(path)

    data = write(tmp_path / "data", enlarged)
    done = run("doctor", data, "--strict")
    assert done.exit_code == 1
    (line,) = [line for line in done.stdout.splitlines() if "near-duplicates:" in line]
    assert line.strip().startswith("leak")
    assert "between sides are one up to a small loss (cosine at least 0.999)" in line
    assert "_again.jpg" in line


def test_copies_under_two_texts_are_named(tmp_path: Path, run: Run) -> None:
    data = write(tmp_path / "data", with_a_note)
    table = (data / "pairs.csv").read_text().replace("circle_0_note.png,circle", "circle_0_note.png,cross")
    (data / "pairs.csv").write_text(table)
    assert "1 of them under different texts, such as 'circle_0.png', 'circle_0_note.png'" in run("doctor", data).stdout


def test_an_evaluation_leaves_out_what_was_seen_in_another_file(tmp_path: Path, run: Run) -> None:
    data = write(tmp_path / "data", with_a_note)
    run("fit", data, "-o", tmp_path / "space", "--aligner", "ridge")
    metrics = json.loads(run("evaluate", tmp_path / "space", data, "--json", "--no-probes").stdout)
    assert metrics["excluded"] == {"train": 40 + 16, "val": 16}
    assert {row["items"] for row in metrics["alignment"] if "items" in row} == {16}
    again = tmp_path / "again"
    again.mkdir()
    for kind in CLASSES[:2]:
        (again / kind).mkdir()
        for seed in range(3):
            picture(kind, seed).save(again / kind / f"{seed}.bmp")
    done = run("evaluate", tmp_path / "space", again)
    assert done.exit_code == 2
    assert "all 6 readable items were seen" in done.stderr


def test_a_video_with_another_title_is_a_copy_and_one_that_shares_a_frame_is_none(tmp_path: Path) -> None:
    import av

    folder = tmp_path / "data"
    folder.mkdir()
    rows = [("path", "text", "split")]
    for number in range(8):
        (folder / f"{number}.mp4").write_bytes(film(frames=8 + number))
        rows.append((f"{number}.mp4", ("dawn", "dusk")[number % 2], ("train", "train", "val", "test")[number // 2]))
    with av.open(str(folder / "0.mp4")) as source, av.open(str(folder / "copy.mp4"), "w") as out:
        out.metadata["title"] = "once more"
        streams = {stream.index: out.add_stream_from_template(stream) for stream in source.streams}
        for packet in source.demux():
            if packet.dts is not None:
                packet.stream = streams[packet.stream.index]
                out.mux(packet)
    rows.append(("copy.mp4", "dawn", "test"))
    with (folder / "pairs.csv").open("w", newline="") as stream:
        csv.writer(stream).writerows(rows)
    told: list[str] = []
    textanchor.fit(folder, aligner="ridge", announce=told.append, cache=tmp_path / "cache")
    copies = [line for line in told if "saved again" in line]
    assert len(copies) == 1
    assert copies[0].startswith(
        "1 held-out item is another of an earlier side saved again, such as 'copy.mp4' in test and '0.mp4'"
    )


def test_hashes_are_taken_while_items_are_encoded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from textanchor.latents import forward_passes

    data, cache, decoded = write(tmp_path / "data", with_a_note), tmp_path / "cache", list[str]()
    real = forward_passes.decode
    monkeypatch.setattr(
        forward_passes, "decode", lambda item, limits: (item.path and decoded.append(item.id), real(item, limits))[1]
    )
    textanchor.fit(data, aligner="ridge", cache=cache)
    assert len(decoded) == len(set(decoded)) == 18 * 4 + 16, "each once, those of test too"
    decoded.clear()
    textanchor.fit(data, aligner="ridge", cache=cache)
    assert decoded == [], "and never again"


def test_a_file_holds_what_the_same_value_in_memory_holds(tmp_path: Path) -> None:
    from textanchor.data.decoding import content_hash
    from textanchor.latents.copies import decoded_contents

    picture("cross", 1).save(tmp_path / "a.png")
    items = [
        Item(id="file", modality="image", path=tmp_path / "a.png"),
        Item(id="value", modality="image", value=picture("cross", 1)),
    ]
    hashes = {item.id: content_hash(item) for item in items}
    held = decoded_contents(items, hashes, Runtime(cache=tmp_path / "cache"))
    assert held["file"] == held["value"] == hashes["value"] != hashes["file"]


def test_one_series_as_csv_and_as_npy() -> None:
    held, values = reader("series"), np.arange(12, dtype=np.float32).reshape(6, 2) / 7
    raw, text = io.BytesIO(), "\n".join(",".join(f"{number:.9g}" for number in row) for row in values)
    np.save(raw, values)
    one, other = (held.read(io.BytesIO(data), Limits()) for data in (raw.getvalue(), text.encode()))
    assert held.content(one) == held.content(other)


def test_a_space_of_the_version_before_knows_no_decoded_contents(tmp_path: Path) -> None:
    data = write(tmp_path / "data", with_a_note)
    place = textanchor.fit(data, aligner="ridge").save(tmp_path / "space")
    seen = json.loads((place / "seen.json").read_text())
    assert len(seen.pop("decoded")) == 56
    (place / "seen.json").write_text(json.dumps(seen))
    facts = json.loads((place / "space.json").read_text())
    from textanchor.files import file_digest

    facts["files"]["seen.json"] = file_digest(place / "seen.json")
    (place / "space.json").write_text(json.dumps(facts))
    found = textanchor.evaluate(textanchor.load(place), read_pairs(data), probe=False, map_=False)
    assert found.judged.excluded == {"train": 40, "val": 16}
