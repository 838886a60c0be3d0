"""Videos: parts under their own keys, fused in the anchor's space, with either side missing; and taken apart into pairs."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from PIL import Image

import textanchor
from conftest import CLASSES, picture, sound
from odd_files import film
from textanchor.data.split_video import split_video
from textanchor.errors import InputError, ItemError, NothingUsableError
from textanchor.records import Item, Pair, Pairs
from textanchor.runtime import Runtime
from textanchor.views import as_item, unit


def write_film(path: Path, kind: str, seed: int, *, seen: bool = True, heard: bool = True) -> Path:
    """A second of a drawing and a chirp of one class, or of one of the two."""
    from fractions import Fraction

    import av

    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w") as container:
        show = container.add_stream("mpeg4", rate=8) if seen else None
        tell = container.add_stream("aac", rate=16000) if heard else None
        if show is not None:
            show.width, show.height, show.pix_fmt = 48, 48, "yuv420p"
            for number in range(8):
                frame = av.VideoFrame.from_image(picture(kind, seed * 10 + number % 2, 24).resize((48, 48)))
                frame.pts = number
                container.mux(show.encode(frame))
            container.mux(show.encode())
        if tell is not None:
            wave = (sound(kind, seed, 16000, 1.0) * 30000).astype(np.int16)
            for start in range(0, len(wave), 1024):
                part = av.AudioFrame.from_ndarray(wave[None, start : start + 1024], "s16", "mono")
                part.rate, part.pts, part.time_base = 16000, start, Fraction(1, 16000)
                container.mux(tell.encode(part))
            container.mux(tell.encode())
    return path


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One folder a class, ten films each; of each class one is silent and one is blind."""
    root = tmp_path_factory.mktemp("films")
    for kind in CLASSES:
        for seed in range(10):
            write_film(root / kind / f"{seed}.mp4", kind, seed, seen=seed != 8, heard=seed != 9)
    return root


@pytest.fixture(scope="module")
def fitted(films: Path) -> textanchor.Space:
    return textanchor.fit(films, aligner="ridge", video="uniform:2+sound")


def test_fit_takes_videos_apart_and_keeps_each_on_one_side(fitted: textanchor.Space) -> None:
    (story,) = fitted.stories
    assert list(fitted.modalities) == ["image", "audio"]
    assert fitted.kinds == ("image", "audio", "video")
    assert fitted.compositions["video"].plan == "uniform:2+sound"
    assert sum(side.groups for side in story.counts["image"].values()) == 40
    assert story.counts["image"]["train"].items == 2 * story.counts["audio"]["train"].items
    assert any("files have no audio part" in note for note in story.notes)
    assert story.skipped == (), "a silent video is no fault"


def test_unseen_videos_are_judged_as_wholes(fitted: textanchor.Space, films: Path) -> None:
    done = textanchor.evaluate(fitted, films, probe=False, map_=False)
    row = next(row for row in done.table("alignment") if row["query"] == "video")
    assert row["items"] == fitted.stories[0].counts["image"]["test"].groups
    assert row["R@1"] >= 0.8
    assert done.judged.excluded["train"] + done.judged.excluded["val"] + row["items"] == 40


def test_a_video_is_the_fusion_of_its_parts(fitted: textanchor.Space, films: Path) -> None:
    path = films / "cross" / "1.mp4"
    parts = fitted.compositions["video"].pieces([Item(id="v", modality="video", path=path)])
    frames = as_item(fitted.modalities["image"].view, fitted.embed(parts["image"]))
    voice = as_item(fitted.modalities["audio"].view, fitted.embed(parts["audio"]))
    expected = unit(unit(frames.sum(0, keepdims=True)) + voice)
    np.testing.assert_allclose(fitted.embed(path, compared_with="video"), expected, atol=1e-5)
    blind, silent = films / "cross" / "8.mp4", films / "cross" / "9.mp4"
    for one, kind in ((blind, "audio"), (silent, "image")):
        held = fitted.compositions["video"].pieces([Item(id="v", modality="video", path=one)])[kind]
        alone = unit(as_item(fitted.modalities[kind].view, fitted.embed(held)).sum(0, keepdims=True))
        np.testing.assert_allclose(fitted.embed(one, compared_with="video"), alone, atol=1e-5)


def test_parts_are_cached_under_their_own_keys(fitted: textanchor.Space, films: Path, tmp_path: Path) -> None:
    runtime = Runtime(cache=tmp_path)
    whole = [Item(id=str(path), modality="video", path=path) for path in sorted((films / "circle").iterdir())]
    first = fitted.embed_all(whole, runtime=runtime)
    (again,) = fitted.stream(whole, "video", runtime=runtime)
    assert (again.new, again.cached) == (0, 10)
    np.testing.assert_array_equal(first.vectors, again.vectors)
    frames = fitted.compositions["video"].pieces(whole)["image"]
    (part,) = fitted.stream(frames, "image", runtime=runtime)
    assert (part.new, part.cached, len(part.skipped)) == (0, 18, 2)
    assert all(one.absent for one in part.skipped)


def test_a_space_keeps_its_composition(fitted: textanchor.Space, films: Path, tmp_path: Path) -> None:
    again = textanchor.load(fitted.save(tmp_path / "space"))
    assert again.compositions["video"].plan == "uniform:2+sound"
    path = films / "square" / "0.mp4"
    np.testing.assert_array_equal(again.embed(path), fitted.embed(path))
    for hit in textanchor.search(again, "cross", films, modality="video", k=3):
        assert hit.modality == "video"


def test_a_video_that_cannot_be_read_is_named(fitted: textanchor.Space, films: Path, tmp_path: Path) -> None:
    (tmp_path / "bad.mp4").write_bytes(film()[:900])
    (tmp_path / "good.mp4").write_bytes((films / "cross" / "2.mp4").read_bytes())
    items = [Item(id=name, modality="video", path=tmp_path / name) for name in ("bad.mp4", "good.mp4")]
    found = fitted.embed_all(items)
    assert [item.id for item in found.items] == ["good.mp4"]
    assert "truncated MP4" in found.skipped[0].reason
    with pytest.raises(ItemError, match="bad.mp4"):
        fitted.embed(tmp_path / "bad.mp4")
    with pytest.raises(InputError, match="is embedded from its file"):
        fitted.embed(textanchor.Item(id="clip", modality="video", value=object()))


def test_silent_videos_alone_make_a_space_of_images(films: Path, tmp_path: Path) -> None:
    rows = []
    for kind in CLASSES:
        for seed in range(3):
            path = write_film(tmp_path / f"{kind}{seed}.mp4", kind, seed, heard=False)
            rows.append(Pair(item=Item(id=f"{kind} {seed}", modality="video", path=path), text=kind))
    held = textanchor.fit(Pairs(rows=tuple(rows)), aligner="ridge")
    assert list(held.modalities) == ["image"]
    assert any("no audio: none of" in note for note in held.stories[0].notes)


def test_videos_become_files_and_pairs(films: Path, tmp_path: Path, run: Callable[..., Any]) -> None:
    done = run("split-video", films, "-o", tmp_path / "pairs")
    assert done.exit_code == 0, done.stderr
    assert "40 videos: 36 image, 36 audio; 8 parts that a video does not have; 0 skipped" in done.stdout
    with (tmp_path / "pairs" / "pairs.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    assert len(rows) == 72
    assert {row["text"] for row in rows} == set(CLASSES)
    assert len({row["group"] for row in rows}) == 40
    first = {row["modality"]: tmp_path / "pairs" / row["path"] for row in reversed(rows)}
    with Image.open(first["image"]) as frame:
        assert frame.size == (48, 48)
    assert soundfile.info(first["audio"]).duration == pytest.approx(1, abs=0.2)
    pairs = textanchor.read_pairs(tmp_path / "pairs")
    assert pairs.modalities == ("image", "audio")
    again = run("split-video", films, "-o", tmp_path / "pairs")
    assert again.exit_code == 2
    assert "--overwrite" in again.stderr


def test_a_table_of_videos_keeps_its_groups_splits_and_captions(films: Path, tmp_path: Path) -> None:
    with (tmp_path / "clips.csv").open("w", newline="") as stream:
        csv.writer(stream).writerows([
            ("file_name", "text", "group", "split"),
            (films / "cross" / "0.mp4", "a cross", "film A", "train"),
            (films / "cross" / "0.mp4", "two lines", "film A", "train"),
            (films / "circle" / "0.mp4", "a circle", "", "test"),
            (tmp_path / "gone.mp4", "nothing", "", "test"),
        ])  # fmt: skip
    done = split_video(tmp_path / "clips.csv", tmp_path / "out", plan="uniform:2", reading=textanchor.Reading(allow_lost=0.25))
    assert (done.videos, done.counts, len(done.skipped)) == (2, {"image": 4}, 1)
    pairs = textanchor.read_pairs(tmp_path / "out")
    assert len(pairs.rows) == 6
    assert {(pair.group, pair.split) for pair in pairs.rows} == {("film A", "train"), (str(films / "circle" / "0.mp4"), "test")}
    (tmp_path / "text").mkdir()
    picture("cross", 0).save(tmp_path / "text" / "a.png")
    with pytest.raises(NothingUsableError):
        split_video(tmp_path / "text", tmp_path / "none")
    assert not (tmp_path / "none").exists()


def test_what_has_no_partner_has_none_after_its_video_is_taken_apart(films: Path, tmp_path: Path) -> None:
    with (tmp_path / "clips.csv").open("w", newline="") as stream:
        csv.writer(stream).writerows([
            ("path", "text"),
            (films / "cross" / "0.mp4", "a cross"),
            (films / "square" / "0.mp4", ""),
            ("", "a text that nobody filmed"),
        ])  # fmt: skip
    taken = split_video(tmp_path / "clips.csv", tmp_path / "out", plan="first")
    assert (taken.videos, taken.counts, taken.skipped) == (2, {"image": 2}, ())
    pairs = textanchor.read_pairs(tmp_path / "out")
    assert [pair.text for pair in pairs.rows] == ["a cross"]
    assert [(single.modality, single.text) for single in pairs.singles] == [
        ("image", None),
        (None, "a text that nobody filmed"),
    ]


def test_one_part_of_a_video_is_held_at_a_time(films: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from textanchor.data import split_video as module

    done: list[str] = []
    real_decode, real_written = module.decode, module._written
    monkeypatch.setattr(module, "decode", lambda *given: (done.append("decoded"), real_decode(*given))[1])
    monkeypatch.setattr(module, "_written", lambda *given: (done.append("written"), real_written(*given))[1])
    with (tmp_path / "clips.csv").open("w", newline="") as stream:
        csv.writer(stream).writerows([("path", "text"), (films / "cross" / "0.mp4", "a cross")])
    split_video(tmp_path / "clips.csv", tmp_path / "out", plan="uniform:3")
    assert done == ["decoded", "written"] * 3
