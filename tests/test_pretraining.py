"""From raw items to an encoder's folder: what teaches, what chooses, what judges, and what is refused."""

from __future__ import annotations

import csv
import json
import math
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import torch

from conftest import CLASSES, picture, sound
from textanchor.encoders import make
from textanchor.encoders.own import OwnNetwork, pooled
from textanchor.errors import InputError, NothingUsableError, TextAnchorError
from textanchor.metrics.rank import rank_me
from textanchor.pretraining import Plan, Recipe, choosing, comparing, inputs, making, pretrain
from textanchor.pretraining.choosing import cuts
from textanchor.pretraining.inputs import Arrays
from textanchor.pretraining.pretraining import CHECKPOINT, trained
from textanchor.pretraining.probing import Labelled, online, rank
from textanchor.pretraining.ready import ready
from textanchor.pretraining.sources import source_of
from textanchor.records import Item
from textanchor.runtime import Reading, Runtime, Splitting

QUICK = Plan(epochs=2, batch=16)
RESNET = "resnet(width=4,stages=2)"
RECIPE = Recipe(task="supervised", backbone=RESNET, plan=QUICK)
CPU = Runtime(device="cpu")
FRONT = "pixels(side=16,channels=1)"


def drawings(folder: Path, *, each: int = 8, kinds: tuple[str, ...] = CLASSES, splits: bool = True) -> Path:
    """Drawings in a table with a split of its own: of each class a quarter validates and a quarter judges."""
    folder.mkdir(parents=True)
    rows = []
    for kind in kinds:
        for seed in range(each):
            name = f"{kind}{seed}.png"
            picture(kind, seed).save(folder / name)
            rows.append((name, kind, ("train", "train", "val", "test")[seed % 4]))
    with (folder / "pairs.csv").open("w", newline="") as stream:
        csv.writer(stream).writerows(
            [("path", "text", "split"), *rows] if splits else [("path", "text"), *(r[:2] for r in rows)]
        )
    return folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return drawings(tmp_path_factory.mktemp("drawings") / "data")


def made(pairs: object, recipe: Recipe = RECIPE, **more: Any) -> Any:
    told = replace(recipe, front=more.pop("front", FRONT))
    return pretrain(pairs, told, **{"against": ["pca(dim=4)"], "runtime": CPU, **more})


# --- what teaches, chooses and judges ---------------------------------------------------------------------------------


def test_the_test_side_is_not_decoded_before_the_verdict(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    decoded: list[str] = []
    real = inputs.decode

    def watched(item: Item, limits: Any) -> Any:
        decoded.append(item.id)
        return real(item, limits)

    monkeypatch.setattr(inputs, "decode", watched)
    monkeypatch.setattr(choosing, "decode", watched)
    reached = []

    def verdict(*args: Any, **more: Any) -> list[Any]:
        reached.append(len(decoded))
        return []

    monkeypatch.setattr(making, "compared", verdict)
    made(folder, front=None)
    assert reached
    numbers = [int(name.removesuffix(".png")[-1]) for name in decoded]
    assert set(numbers) == {0, 1, 2, 4, 5, 6}, "train and validation, and no item of test"


def test_the_front_is_measured_on_train_alone(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[str] = []
    real = choosing.decode
    monkeypatch.setattr(choosing, "decode", lambda item, limits: looked.append(item.id) or real(item, limits))  # type: ignore[func-returns-value]
    source = source_of(folder, splitting=Splitting(), reading=None, runtime=CPU)
    found = ready(source, None, CPU)
    assert {int(name.removesuffix(".png")[-1]) % 4 for name in looked} == {0, 1}
    assert found.front.settings == {"side": 24, "channels": 1}


def test_layer_and_pool_are_the_best_of_all_on_validation(folder: Path) -> None:
    source = source_of(folder, splitting=Splitting(), reading=None, runtime=CPU)
    given = ready(source, FRONT, CPU)
    assert given.val is not None
    found = trained(given, RECIPE)
    by_hand = {}
    for layer in range(3):
        for pool in ("mean", "max"):
            sides = []
            for one in (given.train, given.val):
                with torch.inference_mode():
                    places = found.network.layers(torch.from_numpy(one.values))[layer]
                sides.append(Labelled(latents=pooled(places, pool).numpy(), classes=one.labels))  # type: ignore[arg-type]
            by_hand[layer, pool] = online(*sides)
    assert {(cut.layer, cut.pool): cut.accuracy for cut in found.cuts} == by_hand
    best = max(by_hand.values())
    assert by_hand[found.network.layer, found.network.pool] == best
    assert found.network.layer == max(layer for (layer, _), one in by_hand.items() if one == best), "of equals the deepest"
    assert (found.description.layer, found.description.pool) == (found.network.layer, found.network.pool)


def test_a_layer_that_sees_what_matters_wins() -> None:
    """Classes by brightness, a network of random numbers whose last layer is blind."""
    torch.manual_seed(0)
    network = OwnNetwork(shape=(1, 8, 8), backbone=RESNET).eval()
    torch.nn.init.zeros_(network.backbone.blocks[-1].second[1].weight)  # type: ignore[union-attr,index]
    torch.nn.init.zeros_(network.backbone.blocks[-1].shortcut[1].weight)  # type: ignore[union-attr,index]
    rng = np.random.default_rng(0)
    labels = np.arange(40) % 2
    values = (rng.random((40, 1, 8, 8)) + labels[:, None, None, None]).astype(np.float32)
    both = Arrays(values=values, labels=labels)
    found = cuts(network, both, both, device="cpu")
    assert found[0].layer < 2
    assert found[-1].layer == 2
    assert found[0].accuracy > 0.9


def test_without_classes_the_last_layer_is_taken_and_nothing_is_judged(tmp_path: Path) -> None:
    (tmp_path / "loose").mkdir()
    for kind in CLASSES:
        for seed in range(3):
            picture(kind, seed).save(tmp_path / "loose" / f"{kind}{seed}.png")
    shutil.copy(tmp_path / "loose" / "cross0.png", tmp_path / "loose" / "copy.png")
    found = made(tmp_path / "loose", replace(RECIPE, task="simclr"), folder=tmp_path / "out")
    assert found.verdict == ()
    assert found.made.cuts == ()
    assert found.made.network.layer == 2
    assert "score" not in found.made.rows[0]
    assert "Nothing was judged" in (tmp_path / "out" / "README.md").read_text()
    told = json.loads((tmp_path / "out" / "encoder.json").read_text())
    assert told["made"]["data"]["train"] == 12, "a copy teaches nothing new"
    with pytest.raises(InputError, match="supervised: 0 classes"):
        made(tmp_path / "loose")


def test_captions_are_no_classes(tmp_path: Path) -> None:
    data = drawings(tmp_path / "data", each=4, splits=False)
    with (data / "pairs.csv").open("w", newline="") as stream:
        rows = [(path.name, f"a drawing that is called {path.stem}") for path in sorted(data.glob("*.png"))]
        csv.writer(stream).writerows([("path", "text"), *rows])
    found = made(data, replace(RECIPE, task="vicreg"))
    assert found.verdict == ()
    with pytest.raises(InputError, match="triplet: 0 classes"):
        made(data, replace(RECIPE, task="triplet"))


def test_one_class_teaches_no_classifier_and_judges_nothing(tmp_path: Path) -> None:
    data = drawings(tmp_path / "data", kinds=("cross",))
    with pytest.raises(InputError, match="supervised: 0 classes"):
        made(data)
    assert made(data, replace(RECIPE, task="simclr")).verdict == ()


# --- files that cannot be read, too few of them, of other kinds ---------------------------------------------------------


def test_one_bad_file_is_left_out_and_said(tmp_path: Path) -> None:
    data = drawings(tmp_path / "data")
    (data / "cross0.png").write_bytes(b"no picture")
    found = made(data)
    assert [one.item for one in found.skipped] == ["cross0.png"]
    assert found.verdict
    with pytest.raises(TextAnchorError, match="cross0"):
        made(data, runtime=replace(CPU, strict=True))


def test_bad_files_of_validation_and_test_are_left_out(tmp_path: Path) -> None:
    data = drawings(tmp_path / "data")
    for name in ("cross2.png", "cross3.png"):
        (data / name).write_bytes(b"no picture" + name.encode())
    found = made(data)
    assert [one.item for one in found.skipped] == ["cross2.png"], "what judges is read by encoders, and counts for none"
    assert len(found.made.cuts) == 6
    assert found.verdict


def test_only_bad_files_are_a_plain_refusal(tmp_path: Path) -> None:
    data = drawings(tmp_path / "data", each=4)
    for path in data.glob("*.png"):
        path.write_bytes(b"no picture" + path.name.encode())
    for front in (FRONT, None):
        with pytest.raises((InputError, NothingUsableError), match=r"could be read|can be read"):
            made(data, front=front)


def test_validation_that_cannot_be_read_is_no_validation(tmp_path: Path) -> None:
    data = drawings(tmp_path / "data")
    for path in [*data.glob("*2.png"), *data.glob("*6.png")]:
        path.write_bytes(b"no picture" + path.name.encode())
    found = made(data)
    assert found.made.cuts == ()


def test_one_item_is_too_few(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    picture("cross", 0).save(tmp_path / "one" / "a.png")
    with pytest.raises(InputError, match="1 items to train on.*at least 2"):
        made(tmp_path / "one", replace(RECIPE, task="simclr"))


def test_two_items_will_do(tmp_path: Path) -> None:
    (tmp_path / "two").mkdir()
    for seed in range(2):
        picture("cross", seed).save(tmp_path / "two" / f"{seed}.png")
    for task in ("simclr", "vicreg", "sigreg"):
        assert len(made(tmp_path / "two", replace(RECIPE, task=task)).made.rows) == 2


def test_a_batch_of_one_item_is_no_trouble(tmp_path: Path) -> None:
    (tmp_path / "few").mkdir()
    for seed in range(3):
        picture("cross", seed).save(tmp_path / "few" / f"{seed}.png")
    for task in ("simclr", "vicreg", "sigreg"):
        rows = made(tmp_path / "few", replace(RECIPE, task=task, plan=replace(QUICK, batch=1))).made.rows
        assert all(math.isfinite(row["loss"]) for row in rows)


def test_a_front_of_another_modality_is_refused(folder: Path) -> None:
    with pytest.raises(InputError, match="front log-mel is for audio, and the items are of image"):
        made(folder, front="log-mel")


def test_several_modalities_need_a_choice(shapes: Path) -> None:
    with pytest.raises(InputError, match="an encoder is of one modality"):
        made(shapes)
    with pytest.raises((InputError, NothingUsableError), match="holds no"):
        made(shapes, reading=Reading(modality=("series",)))


def test_masking_on_a_network_without_patches_is_refused_before_it_is_trained(folder: Path) -> None:
    with pytest.raises(InputError, match="resnet cannot hide patches"):
        made(folder, replace(RECIPE, task="masked"))


def test_waves_are_for_sounds(folder: Path) -> None:
    with pytest.raises(InputError, match="waves=2: only sounds are waves"):
        made(folder, replace(RECIPE, task="simclr", augmentation="spectra(waves=2)"))


# --- sounds and series end to end ---------------------------------------------------------------------------------------


def test_sounds_with_variants_of_their_waves(tmp_path: Path) -> None:
    data = tmp_path / "sounds"
    for kind in CLASSES:
        (data / kind).mkdir(parents=True)
        for seed in range(6):
            soundfile.write(data / kind / f"{seed}.wav", sound(kind, seed), 8000)
    recipe = replace(RECIPE, task="simclr", augmentation="spectra(waves=2)")
    found = made(data, recipe, front="log-mel(bands=16,frames=16,seconds=0.3)", folder=tmp_path / "ear")
    assert found.verdict
    again = make(f"own:{tmp_path / 'ear'}", "audio", CPU)
    assert again.dim == found.encoder.dim
    other = made(data, replace(recipe, augmentation="spectra"), front="log-mel(bands=16,frames=16,seconds=0.3)")
    assert other.made.rows != found.made.rows


def test_series_by_their_usual_augmentation() -> None:
    rng = np.random.default_rng(0)
    from textanchor.records import Series

    pairs = []
    for place in range(48):
        wave = np.sin(np.linspace(0, (4, 12)[place % 2], 60) + rng.random())[:, None] + rng.normal(size=(60, 1)) / 10
        pairs.append((Series(values=wave.astype(np.float32)), ("slow", "fast")[place % 2]))
    found = made(pairs, replace(RECIPE, task="vicreg"), front=None)
    assert found.encoder.modality == "series"
    assert found.verdict


# --- stopping and going on, and what is written -------------------------------------------------------------------------


def test_a_pretraining_that_was_stopped_goes_on_from_its_folder(folder: Path, tmp_path: Path) -> None:
    whole = made(folder, folder=tmp_path / "whole")

    class Stop(Exception):
        pass

    def stop(line: str) -> None:
        if line.startswith("epoch 1"):
            raise Stop

    with pytest.raises(Stop):
        made(folder, folder=tmp_path / "stopped", announce=stop)
    assert (tmp_path / "stopped" / CHECKPOINT).is_file()
    lines: list[str] = []
    made(folder, folder=tmp_path / "stopped", announce=lines.append)
    assert [line.split(":")[0] for line in lines] == ["epoch 2"]
    names = {path.name for path in (tmp_path / "stopped").iterdir()}
    assert names == {"encoder.json", "model.safetensors", "training.csv", "curve.png", "verdict.json", "README.md"}
    for name in ("model.safetensors", "training.csv", "verdict.json"):
        assert (tmp_path / "stopped" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes(), name
    assert whole.made.rows


def test_another_recipe_begins_anew(folder: Path, tmp_path: Path) -> None:
    def stop(line: str) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        made(folder, folder=tmp_path / "out", announce=stop)
    shutil.copytree(tmp_path / "out", tmp_path / "other")
    lines: list[str] = []
    made(folder, replace(RECIPE, seed=1), folder=tmp_path / "other", announce=lines.append)
    assert [line.split(":")[0] for line in lines] == ["epoch 1", "epoch 2"]


def test_the_verdict_is_of_the_encoder_beside_its_rivals(folder: Path) -> None:
    found = made(folder, against=["signal", "pca(dim=4)"])
    assert [row.encoder for row in found.verdict[:3]] == [making.OURS, "signal", "pca(dim=4)"]
    assert {row.share for row in found.verdict} == set(comparing.SHARES)
    assert all(0 <= row.accuracy <= 1 for row in found.verdict)
    assert found.verdict[0].gain is None
    assert found.verdict[1].gain is not None


def test_a_collapse_is_said(folder: Path) -> None:
    """Nothing but invariance, at a high rate: everything becomes one point."""
    recipe = replace(RECIPE, task="vicreg(variance=0,covariance=0)", plan=replace(QUICK, epochs=16, rate=0.05, decay=0.0))
    found = made(folder, recipe)
    assert found.made.rows[-1]["rank"] < 3
    assert "collapsed" in found.made.notes[0]


# --- effective rank -----------------------------------------------------------------------------------------------------


def slow_rank(rows: np.ndarray) -> float:
    values = np.linalg.svd(rows)[1]
    entropy = 0.0
    for value in values:
        share = value / sum(values) + 1e-7
        entropy -= share * math.log(share)
    return math.exp(entropy)


def test_rank_me_is_its_formula() -> None:
    for shape in ((30, 5), (5, 30), (1, 4)):
        rows = np.random.default_rng(0).normal(size=shape)
        assert rank_me(rows) == pytest.approx(slow_rank(rows), rel=1e-9)


def test_rank_me_by_hand() -> None:
    assert rank_me(np.eye(6)) == pytest.approx(6, rel=1e-4)
    assert rank_me(np.outer(np.arange(1.0, 9), np.arange(1.0, 5))) == pytest.approx(1, rel=1e-4)
    assert rank_me(np.zeros((5, 4))) == 0
    assert rank_me(np.diag([3.0, 1.0])) == pytest.approx(math.exp(-0.75 * math.log(0.75) - 0.25 * math.log(0.25)), rel=1e-5)


def test_a_collapsed_cloud_has_no_directions_wherever_it_lies() -> None:
    cloud = np.random.default_rng(0).normal(size=(100, 8))
    assert rank(cloud + 50) == pytest.approx(rank(cloud), rel=1e-3)
    assert rank(cloud) > 7
    assert rank(np.full((100, 8), 3.5)) < 1.01
    assert rank(np.outer(cloud[:, 0], np.ones(8)) + 5) == pytest.approx(1, abs=1e-3)


# --- command line -------------------------------------------------------------------------------------------------------


def test_command_line(folder: Path, tmp_path: Path, run: Callable[..., Any]) -> None:
    out = tmp_path / "mine"
    arguments = ("pretrain", folder, "-o", out, "--task", "triplet(mining=hard)", "--backbone", RESNET, "--front", FRONT)
    done = run(*arguments, "--epochs", 2, "--against", "pca(dim=4)")
    assert done.exit_code == 0, done.stderr
    assert "Linear probe on test" in done.stdout
    assert run(*arguments, "--epochs", 2).exit_code == 2, "a folder that is there is not written over"
    refused = run("pretrain", folder, "-o", tmp_path / "no", "--task", "tripplet")
    assert refused.exit_code == 2
    assert "did you mean 'triplet'" in refused.stderr
