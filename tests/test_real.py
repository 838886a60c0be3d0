"""Real data and weights, which lie beside the checkout or not at all. Run with `make slow`; every skip says what is absent."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import textanchor
from textanchor.encoders import make
from textanchor.runtime import Runtime

pytestmark = pytest.mark.slow
Shared = Callable[[str], Path]


@pytest.fixture(scope="module")
def mnist_fsdd(shared: Shared, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The real digits with the shared encoders: pairs, our default and the original recipe, evaluated in one table."""
    for name in ("data/mnist", "data/fsdd"):
        shared(name)
    encoders = {
        "image": f"hub:{shared('models/mobilenet_v1_0.75_224')}@size=96,pool=mean",
        "audio": f"onnx:{shared('models/audioset_mn04')}",
    }
    folder = textanchor.write_sample(
        "mnist-fsdd", tmp_path_factory.mktemp("digits") / "pairs", root=shared("data/mnist").parent
    )
    pairs = textanchor.read_pairs(folder)
    ours = textanchor.fit(pairs, encoders=encoders)
    seed = textanchor.fit(pairs, encoders=encoders, aligner="seed")
    return textanchor.evaluate(ours, pairs, name="ours", against={"seed": seed}, probe=False, map_=False)


def emergent(done: Any, space: str) -> dict[str, float]:
    return {row["query"]: row["R@1"] for row in done.table("emergent") if row["space"] == space}


def test_mnist_fsdd_is_better_than_the_original_recipe_in_both_directions(mnist_fsdd: Any) -> None:
    ours, seed = emergent(mnist_fsdd, "ours"), emergent(mnist_fsdd, "seed")
    assert seed["image"] == pytest.approx(0.91, abs=0.04)
    assert seed["audio"] == pytest.approx(0.87, abs=0.05)
    assert ours["image"] >= 0.93
    assert ours["audio"] >= 0.90
    assert ours["image"] > seed["image"]
    assert ours["audio"] > seed["audio"]
    assert any("official, speakers shared" in note for note in mnist_fsdd.notes)


def test_the_whole_demo(run: Callable[..., Any], tmp_path: Path) -> None:
    pytest.importorskip("espeakng_loader", reason='the [demo] extra is not installed: pip install ".[demo]"')
    done = run("demo", "-o", tmp_path / "demo")
    assert done.exit_code == 0, done.stderr
    assert "What to try next" in done.stdout
    metrics = json.loads((tmp_path / "demo" / "report" / "metrics.json").read_text())
    for row in metrics["emergent"]:
        if row["space"] == "textanchor" and row["split"] == "held-out":
            assert row["R@1"] >= 0.95, row
    assert metrics["map"]["5-NN accuracy"] >= 0.95
    original = [row for row in metrics["alignment"] if row["space"] == "seed recipe" and row["query"] != "text"]
    training = [row for row in original if row["split"].startswith("on training data")]
    assert len(training) == 2
    for row in training:
        assert row["positive cosine"] >= 0.98
        assert row["floor"] < 0.75
    again = run("demo", "-o", tmp_path / "demo")
    assert again.exit_code == 2
    assert "--overwrite" in again.stderr


def test_the_shared_encoders_keep_their_vectors(shared: Shared) -> None:
    """Order and batching change nothing with real weights either."""
    from PIL import Image

    from textanchor.records import Waveform

    rng = np.random.default_rng(0)
    images = [Image.fromarray(rng.integers(0, 256, (s, s + 9, 3), dtype=np.uint8)) for s in (28, 64, 200)]
    sounds = [Waveform(samples=rng.normal(0, 0.1, n).astype(np.float32), rate=8000) for n in (900, 8000, 30000)]
    for name, modality, batch in (
        (f"hub:{shared('models/mobilenet_v1_0.75_224')}@size=96,pool=mean", "image", images),
        (f"onnx:{shared('models/audioset_mn04')}", "audio", sounds),
    ):
        held = make(name, modality, Runtime())
        alone = np.concatenate([held.encode([value]) for value in batch])
        np.testing.assert_allclose(held.encode(batch), alone, atol=1e-4, rtol=1e-4)


def test_esc50_from_raw_files_to_latents_in_one_command(shared: Shared, run: Callable[..., Any], tmp_path: Path) -> None:
    encoder = f"audio=onnx:{shared('models/audioset_mn04')}"
    done = run("encode", shared("data/esc50_part/audio"), "--encoder", encoder, "--cache", tmp_path)
    assert done.exit_code == 0, done.stderr
    assert ["audio", "414", "0", "0"] in [line.split() for line in done.stdout.splitlines()]
    again = run("encode", shared("data/esc50_part/audio"), "--encoder", encoder, "--cache", tmp_path)
    assert ["audio", "0", "414", "0"] in [line.split() for line in again.stdout.splitlines()]


def test_flickr8k_from_raw_files_to_latents_in_one_command(shared: Shared, run: Callable[..., Any], tmp_path: Path) -> None:
    """The first 400 photos, through a table; all 7000 take a minute more and show nothing else."""
    images = sorted(shared("data/flickr8k/images").rglob("*.jpg"))[:400]
    (tmp_path / "photos.csv").write_text("path\n" + "".join(f"{path}\n" for path in images))
    encoder = f"image=hub:{shared('models/mobilenet_v1_0.75_224')}"
    done = run("encode", tmp_path / "photos.csv", "--encoder", encoder, "--cache", tmp_path / "cache")
    assert done.exit_code == 0, done.stderr
    assert ["image", "400", "0", "0"] in [line.split() for line in done.stdout.splitlines()]


def test_real_videos_are_split_fitted_and_judged(shared: Shared, run: Callable[..., Any], tmp_path: Path) -> None:
    import csv

    clips = shared("data/video_clips")
    with (clips / "meta.csv").open() as stream, (tmp_path / "clips.csv").open("w", newline="") as out:
        rows = [(clips / "clips" / row["file_name"], row["text"]) for row in csv.DictReader(stream)]
        csv.writer(out).writerows([("path", "text"), *rows])
    done = run("split-video", tmp_path / "clips.csv", "-o", tmp_path / "parts")
    assert "24 videos: 24 image, 24 audio" in done.stdout
    encoders = {
        "image": f"hub:{shared('models/mobilenet_v1_0.75_224')}",
        "audio": f"onnx:{shared('models/audioset_mn04')}",
    }
    space = textanchor.fit(
        tmp_path / "parts", encoders=encoders, aligner="ridge", fractions=(0.6, 0, 0.4), cache=tmp_path / "c"
    )
    found = textanchor.evaluate(space, tmp_path / "parts", probe=False, map_=False)
    for row in found.table("alignment"):
        assert row["AUC"] > 0.6 if row["query"] != "text" else True
    whole = textanchor.fit(
        tmp_path / "clips.csv", encoders=encoders, aligner="ridge", video="first+sound", cache=tmp_path / "c"
    )
    hits = textanchor.search(whole, "a dog barks", tmp_path / "clips.csv", modality="video", k=3)
    assert len(hits) == 3


@pytest.fixture(scope="module")
def sounds(shared: Shared) -> Any:
    """The first fold of the ESC-50 part: train, validation and test, sources kept apart."""
    import csv

    from textanchor.records import Item, Pair, Pairs
    from textanchor.runtime import Runtime, Splitting
    from textanchor.space.preparing import Encoding, prepare

    names = {
        row["filename"]: row["category"] for row in csv.DictReader(shared("data/esc50_part/meta.csv").read_text().splitlines())
    }
    rows = []
    for row in csv.DictReader(shared("data/splits/esc50_part.csv").read_text().splitlines()):
        place = shared("data/esc50_part/audio") / row["filename"]
        item = Item(id=row["filename"], modality="audio", path=place)
        side = "test" if row["fold"] == "0" or row["fold"] == "1" else "train"
        rows.append(Pair(item=item, text=names[row["filename"]].replace("_", " "), group=row["group"], split=side))
    encoding = Encoding(encoders={"audio": f"onnx:{shared('models/audioset_mn04')}"})
    ready = prepare(Pairs(rows=tuple(rows)), encoding, Splitting(), Runtime())
    return ready.sides("audio", ("train", "val", "test")).pairs


def test_sounds_are_named_as_well_as_by_a_classifier_and_better_than_by_the_original_recipe(sounds: Any) -> None:
    from textanchor.judging import naming_hits, trial
    from textanchor.records import Task

    right = {}
    for name in ("auto", "seed", "ridge"):
        outcome = trial(name, {"audio": Task(train=sounds["train"], val=sounds["val"])})
        right[name] = naming_hits(outcome.geometry, sounds["test"]).mean()
    assert right["auto"] >= right["seed"] - 0.01
    assert right["auto"] >= right["ridge"] - 0.02
    assert right["auto"] > 0.8


def test_classes_that_no_fit_has_seen_are_named(sounds: Any) -> None:
    from textanchor.evaluation.refits import Fresh
    from textanchor.evaluation.unseen import paired_draws, zero_shot

    pairs = sounds["train"].joined(sounds["val"]).joined(sounds["test"])
    ours, seed = zero_shot(pairs, [Fresh(aligner="ridge"), Fresh(aligner="seed")], draws=6)
    assert ours.accuracy >= 0.42
    gain, interval = paired_draws(ours, seed)
    assert gain > 0.1
    assert interval[0] > 0


def test_the_default_finds_captions_better_than_ridge_and_the_original_recipe(shared: Shared) -> None:
    import csv

    from textanchor.records import Item, Pair, Pairs

    split = dict(list(csv.reader(shared("data/splits/flickr8k.csv").read_text().splitlines()))[1:])
    kept = dict.fromkeys(("train", "val", "dev"), 0)
    limit, files, rows = {"train": 1500, "val": 250, "dev": 300}, {}, []
    for row in csv.DictReader(shared("data/flickr8k/captions.csv").read_text().splitlines()):
        side = split[row["file_name"]]
        if row["file_name"] not in files:
            if kept[side] == limit[side]:
                continue
            kept[side] += 1
            files[row["file_name"]] = Item(
                id=row["file_name"], modality="image", path=shared("data/flickr8k/images") / row["file_name"]
            )
        rows.append(Pair(item=files[row["file_name"]], text=row["text"], split=side.replace("dev", "test")))
    pairs, encoders = Pairs(rows=tuple(rows)), {"image": f"hub:{shared('models/mobilenet_v1_0.75_224')}"}
    spaces = {name: textanchor.fit(pairs, encoders=encoders, aligner=name) for name in ("auto", "ridge", "seed")}
    done = textanchor.evaluate(spaces.pop("auto"), pairs, against=spaces, probe=False, map_=False)
    for one in done.metrics()["differences"]:
        assert one["R@1 difference"] > 0, one
        assert one["verdict"] == "better" or one["query"] == "text", one


def test_photos_are_searched_right_after_installation(shared: Shared, run: Callable[..., Any], tmp_path: Path) -> None:
    """Five hundred photos, no pair and no cache: `start`, then `search`."""
    captions: dict[str, list[str]] = {}
    with (shared("data/flickr8k") / "captions.csv").open(newline="") as stream:
        for row in csv.DictReader(stream):
            captions.setdefault(row["file_name"], []).append(row["text"].lower())
    names = list(captions)[:500]
    (tmp_path / "photos").mkdir()
    for name in names:
        (tmp_path / "photos" / name).symlink_to(shared("data/flickr8k") / "images" / name)
    made = run("start", "-o", tmp_path / "space", "--encoder", "image=efficientnet-lite0", "--cache", tmp_path / "cache")
    assert made.exit_code == 0, made.stderr
    for query, word in (
        ("a dog", "dog"),
        ("a bicycle", "bi[ck]"),
        ("mountains and snow", "snow|mountain"),
    ):
        found = run("search", tmp_path / "space", query, "--in", tmp_path / "photos", "--cache", tmp_path / "cache", "--json")
        assert found.exit_code == 0, found.stderr
        right = [any(re.search(word, text) for text in captions[hit["item"]]) for hit in json.loads(found.stdout)]
        base = np.mean([any(re.search(word, text) for text in captions[name]) for name in names])
        assert len(right) == 10
        assert np.mean(right) >= base + 0.25, query
