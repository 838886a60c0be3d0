"""Fine-tuning: what is trained and what is not, rates by layer, folders that read back, and the verdict."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor

from conftest import picture
from textanchor.encoders import make
from textanchor.encoders.own import Description, OwnNetwork, read_folder, write_folder
from textanchor.errors import DamagedError, InputError
from textanchor.finetuning import Recipe, finetune
from textanchor.finetuning.depth import Depth
from textanchor.finetuning.tunable import tunable
from textanchor.finetuning.verdict import Found, Verdict
from textanchor.judging.differences import Difference
from textanchor.pretraining import Plan
from textanchor.pretraining.verdict import Judged
from textanchor.runtime import Reading, Runtime, Splitting
from textanchor.space.preparing import Encoding
from tiny_models import tiny_hub

CPU = Runtime(device="cpu")
TOLD = Description(front="pixels(side=12,channels=1)", backbone="resnet(width=4,stages=2)")
VIT = replace(TOLD, backbone="vit(width=8,depth=3,heads=2,patch=4)")
NO_VAL = Splitting(fractions=(0.8, 0.0, 0.2))
QUICK = Plan(epochs=2, batch=16, rate=1e-3)


def written(folder: Path, told: Description = TOLD, *, seed: int = 0) -> Path:
    torch.manual_seed(seed)
    network = told.network()
    with torch.no_grad():
        network(torch.rand(16, 1, 12, 12))  # batch statistics that are not those of nothing
    write_folder(folder, told, network)
    return folder


@pytest.fixture
def base(tmp_path: Path) -> Path:
    return written(tmp_path / "base")


def tuned(shapes: Path, name: str, recipe: Recipe, folder: Path | None = None, **more: Any) -> Any:
    modality = more.pop("modality", "image")
    reading = Reading(modality=modality)
    encoding = Encoding(encoders={modality: name})
    return finetune(shapes, recipe, encoding=encoding, folder=folder, reading=reading, runtime=Runtime(device="cpu"), **more)


def numbers(folder: Path) -> dict[str, Tensor]:
    return read_folder(folder)[2].state_dict()


def changed(before: dict[str, Tensor], after: dict[str, Tensor]) -> set[str]:
    return {name for name in before if not torch.equal(before[name], after[name])}


# --- what an encoder becomes ----------------------------------------------------------------------------------------


def test_a_tuned_encoder_is_an_encoder(shapes: Path, base: Path, tmp_path: Path, run: Callable[..., Any]) -> None:
    out = tmp_path / "tuned"
    done = run(
        "finetune", shapes, "-o", out, "--encoder", f"image=own:{base}", "--modality", "image", "--epochs", "2", "--batch", "16"
    )
    assert done.exit_code == 0, done.stderr
    assert done.stdout.splitlines()[0].partition(" own:")[0].split()[0] in ("better", "worse", "equal", "no")
    assert {file.name for file in out.iterdir()} == {
        "encoder.json", "model.safetensors", "training.csv", "curve.png", "verdict.json", "README.md",
    }  # fmt: skip
    assert changed(numbers(base), numbers(out))
    assert make(f"own:{out}", "image", CPU).fingerprint != make(f"own:{base}", "image", CPU).fingerprint
    fitted = run("fit", shapes, "-o", tmp_path / "space", "--encoder", f"image=own:{out}", "--modality", "image")
    assert fitted.exit_code == 0, fitted.stderr
    told = json.loads((out / "verdict.json").read_text())
    assert [row["encoder"] for row in told["found"]] == ["this encoder", f"own:{base}"]
    assert len(told["probes"]) == 6
    assert f"`own:{base}`" in (out / "README.md").read_text()


def test_it_learns_what_the_frozen_encoder_does_not_know(shapes: Path, base: Path) -> None:
    found = tuned(shapes, f"own:{base}", Recipe(plan=replace(QUICK, epochs=25, rate=5e-3)))
    losses = [row["loss"] for row in found.tuning.rows]
    assert losses[-1] < losses[0] / 2
    assert max(row["score"] for row in found.tuning.rows) >= found.tuning.before


@pytest.mark.parametrize(
    "loss", ["bank", "info-nce", "supcon", "siglip", "mse", "triplet(mining=hard)", "triplet(mining=random)"]
)
def test_every_loss_trains_encoder_and_projector(shapes: Path, base: Path, tmp_path: Path, loss: str) -> None:
    out = tmp_path / "out"
    found = tuned(shapes, f"own:{base}", Recipe(loss=loss, plan=replace(QUICK, epochs=1)), out)
    assert np.isfinite(found.tuning.rows[0]["loss"])
    assert any(name.startswith("backbone.stem") for name in changed(numbers(base), numbers(out)))


def test_batch_statistics_stay(shapes: Path, base: Path, tmp_path: Path) -> None:
    tuned(shapes, f"own:{base}", Recipe(plan=QUICK), tmp_path / "out")
    assert not [name for name in changed(numbers(base), numbers(tmp_path / "out")) if "running" in name]


# --- which layers ---------------------------------------------------------------------------------------------------


def test_layers_are_counted_from_the_input(tmp_path: Path) -> None:
    resnet, vit = Depth(TOLD.network().backbone), Depth(VIT.network().backbone)
    assert (resnet.count, vit.count) == (3, 4)
    assert [resnet.of(name) for name in ("stem.0.weight", "blocks.0.first.0.weight", "blocks.1.shortcut.0.weight")] == [0, 1, 2]
    assert [vit.of(name) for name in ("places", "embed.weight", "blocks.0.norm1.bias", "norm.weight")] == [0, 0, 1, 3]
    hub: Any = tunable(f"hub:{tiny_hub(tmp_path / 'vit')}", "image", CPU)
    depth = Depth(hub.trunk)
    assert depth.count == 3
    names = [name for name, _ in hub.trunk.named_parameters()]
    assert {depth.of(name) for name in names if name.startswith("embeddings")} == {0}
    assert depth.of("layernorm.weight") == 2


@pytest.mark.parametrize("freeze", [1, 2])
def test_frozen_layers_do_not_move(shapes: Path, base: Path, tmp_path: Path, freeze: int) -> None:
    tuned(shapes, f"own:{base}", Recipe(plan=QUICK, freeze=freeze), tmp_path / "out")
    depth = Depth(TOLD.network().backbone)
    moved = {depth.of(name.removeprefix("backbone.")) for name in changed(numbers(base), numbers(tmp_path / "out"))}
    assert moved == set(range(freeze, 3))


def test_rates_fall_layer_by_layer(shapes: Path, base: Path) -> None:
    model: Any = tunable(f"own:{base}", "image", CPU)
    seen: list[dict[str, float]] = []

    def spy(learner: Any, material: Any, plan: Any, course: Any, *, groups: Any) -> list[Any]:
        seen.extend({"lr": one["lr"], "numbers": sum(p.numel() for p in one["params"])} for one in groups)
        return []

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("textanchor.finetuning.tuning.train", spy)
        tuned(shapes, f"own:{base}", Recipe(plan=QUICK, layer_decay=0.1))
    rates = sorted({round(one["lr"], 9) for one in seen})
    assert rates == pytest.approx([1e-5, 1e-4, 1e-3])
    depth = Depth(model.trunk)
    for layer, rate in enumerate((1e-5, 1e-4)):
        own = sum(one.numel() for name, one in model.trunk.named_parameters() if depth.of(name) == layer)
        assert sum(one["numbers"] for one in seen if one["lr"] == pytest.approx(rate)) == own


def test_layers_thaw_from_the_top(shapes: Path, base: Path, tmp_path: Path) -> None:
    tuned(shapes, f"own:{base}", Recipe(plan=replace(QUICK, epochs=2), unfreeze_every=1), tmp_path / "two", splitting=NO_VAL)
    depth = Depth(TOLD.network().backbone)
    moved = {depth.of(name.removeprefix("backbone.")) for name in changed(numbers(base), numbers(tmp_path / "two"))}
    assert moved == {1, 2}


def test_first_layers_are_copied(shapes: Path, base: Path, tmp_path: Path) -> None:
    other = written(tmp_path / "other", seed=1)
    recipe = Recipe(plan=QUICK, copy_first=2, copy_from=other, freeze=2)
    tuned(shapes, f"own:{base}", recipe, tmp_path / "out")
    mine, theirs, out = numbers(base), numbers(other), numbers(tmp_path / "out")
    kept = {name for name in out if torch.equal(out[name], theirs[name]) and not torch.equal(mine[name], theirs[name])}
    assert {name for name in kept if name.startswith(("backbone.stem", "backbone.blocks.0"))}
    assert not [name for name in kept if name.startswith("backbone.blocks.1") and "num_batches" not in name]


def test_layers_above_the_copied_ones_are_new_without_another_encoder(base: Path) -> None:
    model: Any = tunable(f"own:{base}", "image", CPU)
    before = {name: value.clone() for name, value in model.network.state_dict().items()}
    model.take_over(1, None)
    moved = {name for name in changed(before, model.network.state_dict()) if name.startswith("backbone")}
    assert moved
    assert not [name for name in moved if "stem" in name]


def test_what_cannot_be_copied_is_said(shapes: Path, base: Path, tmp_path: Path) -> None:
    for told, why in (
        (replace(TOLD, backbone="resnet(width=8,stages=2)"), "has another stem.0.weight"),
        (replace(TOLD, front="pixels(side=8,channels=1)"), "reads items by"),
    ):
        other = written(tmp_path / told.front / told.backbone, told)
        with pytest.raises(InputError, match=why):
            tuned(shapes, f"own:{base}", Recipe(plan=QUICK, copy_first=1, copy_from=other))
    with pytest.raises(InputError, match="copy_first=9: this encoder has 3 layers"):
        tuned(shapes, f"own:{base}", Recipe(plan=QUICK, copy_first=9))


def test_new_layers_begin_as_nothing_and_are_kept(shapes: Path, base: Path, tmp_path: Path) -> None:
    model: Any = tunable(f"own:{base}", "image", CPU)
    image = [picture("cross", 0)]
    before = model.encoder("a").encode(image)
    model.grow(2)
    np.testing.assert_allclose(model.encoder("b").encode(image), before, atol=1e-6)
    recipe = Recipe(plan=QUICK, new_layers=2, freeze=3)
    found = tuned(shapes, f"own:{base}", recipe, tmp_path / "out")
    assert not changed(numbers(base), {name: numbers(tmp_path / "out")[name] for name in numbers(base)})
    again = make(f"own:{tmp_path / 'out'}", "image", CPU)
    np.testing.assert_allclose(again.encode(image), found.encoder.encode(image), atol=1e-6)
    assert np.abs(again.encode(image) - before).max() > 1e-4
    with pytest.raises(InputError, match="2 layers on top stand on layer"):
        make(f"own:{tmp_path / 'out'}@layer=0", "image", CPU)
    (tmp_path / "out" / "encoder.json").write_text(
        (tmp_path / "out" / "encoder.json").read_text().replace('"top": 2', '"top": 99')
    )
    with pytest.raises(DamagedError, match="top is 99"):
        make(f"own:{tmp_path / 'out'}", "image", CPU)


def test_an_encoder_cut_lower_leaves_what_is_above(shapes: Path, base: Path, tmp_path: Path) -> None:
    tuned(shapes, f"own:{base}@layer=1,pool=max", Recipe(plan=QUICK), tmp_path / "out")
    assert not [name for name in changed(numbers(base), numbers(tmp_path / "out")) if "blocks.1" in name]
    told = read_folder(tmp_path / "out")[0]
    assert (told.layer, told.pool) == (1, "max")


# --- models of Hugging Face transformers ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("family", "modality"),
    [
        ("vit", "image"),
        ("mobilenet_v1", "image"),
        ("clip", "image"),
        ("ast", "audio"),
        ("wav2vec2", "audio"),
        ("whisper", "audio"),
    ],
)
def test_hub_models_are_tuned_and_read_back(shapes: Path, tmp_path: Path, family: str, modality: str) -> None:
    model = tiny_hub(tmp_path / "model", family)
    out = tmp_path / "out"
    found = tuned(shapes, f"hub:{model}", Recipe(plan=replace(QUICK, epochs=1)), out, modality=modality)
    again: Any = make(f"own:{out}", modality, CPU)
    frozen: Any = make(f"hub:{model}", modality, CPU)
    assert again.fingerprint == found.encoder.fingerprint != frozen.fingerprint
    assert (again.dim, again.name) == (frozen.dim, "own:out")
    assert (out / "model" / "model.safetensors").is_file()
    assert json.loads((out / "encoder.json").read_text())["kind"] == "hub"


def test_a_tuned_hub_model_is_tuned_again(shapes: Path, tmp_path: Path) -> None:
    model = tiny_hub(tmp_path / "model")
    once, twice = tmp_path / "once", tmp_path / "twice"
    quick = Recipe(plan=replace(QUICK, epochs=1))
    tuned(shapes, f"hub:{model}@layer=1,pool=cls", quick, once)
    tuned(shapes, f"own:{once}", quick, twice)
    told = json.loads((twice / "encoder.json").read_text())
    assert (told["layer"], told["pool"]) == ("1", "cls")
    with pytest.raises(InputError, match="was tuned at layer=1, pool=cls"):
        make(f"own:{once}@pool=max", "image", CPU)
    with pytest.raises(InputError, match="is an encoder of image, not of audio"):
        make(f"own:{once}", "audio", CPU)
    (once / "encoder.json").write_text('{"format": 1, "kind": "hub", "modality": 3}')
    with pytest.raises(DamagedError, match="not what describes a tuned model"):
        make(f"own:{once}", "image", CPU)


def test_adapters_are_merged(shapes: Path, tmp_path: Path) -> None:
    pytest.importorskip("peft")
    model, out = tiny_hub(tmp_path / "model"), tmp_path / "out"
    found = tuned(shapes, f"hub:{model}", Recipe(plan=replace(QUICK, rate=1e-2), lora=2, freeze=2), out)
    before, after = load_file(model / "model.safetensors"), load_file(out / "model" / "model.safetensors")
    assert before.keys() == after.keys()
    moved = changed(before, after)
    assert moved
    assert all("layer.1." in name and name.endswith("weight") for name in moved), moved
    for name in moved:
        assert torch.linalg.matrix_rank(after[name] - before[name], rtol=1e-3) <= 2
    assert make(f"own:{out}", "image", CPU).fingerprint == found.encoder.fingerprint
    assert found.tuning.trained < found.tuning.of / 4


def test_what_a_model_cannot_have_is_said(shapes: Path, base: Path, tmp_path: Path) -> None:
    mobile = f"hub:{tiny_hub(tmp_path / 'mobile', 'mobilenet_v1')}"
    for name, recipe, why in (
        (f"own:{base}", Recipe(lora=2), "adapters are for hub: models"),
        (mobile, Recipe(lora=2), "no linear map in the blocks of MobileNetV1Model"),
        (mobile, Recipe(new_layers=1), "are for networks of one's own"),
        (mobile, Recipe(copy_first=1), "layers are copied between networks of one's own"),
        (mobile, Recipe(augmentation="pictures"), "changes raw arrays"),
        (mobile + "@pool=mean+max", Recipe(), "gives 2 latents an item"),
        (mobile + "@pool=none", Recipe(), "gives tokens an item"),
        ("signal", Recipe(), "signal-image cannot be trained on|signal cannot be trained on"),
        (f"own:{base}", Recipe(freeze=3), "all 3 layers are frozen"),
        (f"own:{base}", Recipe(freeze=4), "freeze=4: this encoder has 3 layers"),
    ):
        with pytest.raises(InputError, match=why):
            tuned(shapes, name, recipe)
    with pytest.raises(InputError, match="0 encoders are named"):
        finetune(shapes, Recipe(), encoding=Encoding(), runtime=Runtime(device="cpu"))
    for odd in ({"freeze": -1}, {"layer_decay": 0.0}, {"layer_decay": 1.5}, {"new_layers": 99}, {"copy_from": base}):
        with pytest.raises(InputError):
            Recipe(**odd)


# --- training -------------------------------------------------------------------------------------------------------


def test_a_stopped_training_goes_on_to_the_same_weights(shapes: Path, base: Path, tmp_path: Path) -> None:
    recipe = Recipe(plan=replace(QUICK, epochs=4), unfreeze_every=1, loss="triplet(mining=random)", layer_decay=0.5)
    tuned(shapes, f"own:{base}", recipe, tmp_path / "whole")

    class Stop(Exception):
        pass

    def stop(line: str) -> None:
        if line.startswith("epoch 3"):
            raise Stop

    with pytest.raises(Stop):
        tuned(shapes, f"own:{base}", recipe, tmp_path / "parts", announce=stop)
    lines: list[str] = []
    tuned(shapes, f"own:{base}", recipe, tmp_path / "parts", announce=lines.append)
    assert lines[-1].startswith("epoch 4")
    assert len(lines) < 4
    assert not changed(numbers(tmp_path / "whole"), numbers(tmp_path / "parts"))


def test_a_batch_in_chunks_has_the_whole_batchs_gradient(shapes: Path, base: Path, tmp_path: Path) -> None:
    for name, chunk in (("whole", 0), ("parts", 5)):
        tuned(shapes, f"own:{base}", Recipe(loss="info-nce", plan=replace(QUICK, epochs=1, chunk=chunk)), tmp_path / name)
    whole, parts = numbers(tmp_path / "whole"), numbers(tmp_path / "parts")
    before = numbers(base)
    for name in changed(before, whole):
        torch.testing.assert_close(parts[name], whole[name], rtol=1e-3, atol=1e-4)


# --- the verdict ----------------------------------------------------------------------------------------------------


def test_worse_is_said_first() -> None:
    def found(word: str, gain: float) -> tuple[Found, Found]:
        told = Difference(gain=gain, interval=(gain - 0.01, gain + 0.01), verdict=word)
        return (
            Found(encoder="this encoder", recall=0.5 + gain, interval=None, gain=None),
            Found(encoder="own:base", recall=0.5, interval=None, gain=told),
        )

    def judged(word: str, gain: float) -> tuple[Judged, Judged]:
        told = Difference(gain=gain, interval=None, verdict=word)
        one = {"share": 0.1, "labels": 4, "spread": 0.0, "interval": None}
        return (
            Judged(encoder="this encoder", accuracy=0.4, gain=None, **one),  # type: ignore[arg-type]
            Judged(encoder="own:base", accuracy=0.5, gain=told, **one),  # type: ignore[arg-type]
        )

    lines = Verdict(found=found("better", 0.1), probes=judged("worse", -0.1)).lines
    assert lines[0].startswith("linear probe with 4 labels (10%): 0.400; worse than own:base")
    assert lines[1] == "better than own:base at finding texts: R@1 0.600 against 0.500 (+0.100 [+0.090, +0.110])"
    assert Verdict(found=found("worse", -0.1)).lines[0].startswith("worse than own:base")
    assert Verdict().lines == ["nothing was judged: there is no test side"]


def test_the_old_form_of_a_folder_still_reads(base: Path) -> None:
    told = json.loads((base / "encoder.json").read_text())
    del told["top"]
    (base / "encoder.json").write_text(json.dumps(told))
    assert isinstance(read_folder(base)[2], OwnNetwork)


@pytest.mark.slow
def test_a_real_model_is_tuned(shapes: Path, shared: Callable[[str], Path], tmp_path: Path) -> None:
    model, out = shared("models/mobilenet_v1_0.75_224"), tmp_path / "out"
    plan = Plan(epochs=3, batch=16, rate=3e-4)
    found = tuned(shapes, f"hub:{model}", Recipe(plan=plan, freeze=20, layer_decay=0.8), out)
    losses = [row["loss"] for row in found.tuning.rows]
    assert losses[-1] < losses[0]
    assert make(f"own:{out}", "image", CPU).fingerprint == found.encoder.fingerprint
    assert 0 < found.tuning.trained < found.tuning.of
