"""`own:` encoders: their folders, what changes a fingerprint, damaged and hostile folders, windows, and exports."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file

import textanchor
from conftest import picture, sound
from test_onnx_export import telling
from textanchor.encoders import Encoder, make, make_single
from textanchor.encoders.own import Description, OwnEncoder, front_of, read_folder, write_folder
from textanchor.encoders.own.backbones.pca import PCA
from textanchor.errors import DamagedError, InputError
from textanchor.pretraining.inputs import standardised
from textanchor.records import Series, Waveform
from textanchor.runtime import Runtime
from tiny_models import tiny_anchor

CPU = Runtime(device="cpu")
RESNET, VIT = "resnet(width=4,stages=2)", "vit(width=8,depth=2,heads=2,patch=6)"
FRONT = {
    "image": "pixels(side=12,channels=3)", "audio": "log-mel(bands=16,frames=12,seconds=0.3)", "series": "curves(length=20)",
}  # fmt: skip


def made(folder: Path, front: str = FRONT["image"], backbone: str = RESNET, *, seed: int = 0, **cut: Any) -> Path:
    torch.manual_seed(seed)
    told = Description(front=front, backbone=backbone, made={"recipe": {"task": "none"}}, **cut)
    network = told.network()
    inputs = np.random.default_rng(0).integers(0, 256, size=(20, *front_of(front).shape)).astype(np.float32)
    standardised(network, inputs)
    if isinstance(network.backbone, PCA):
        network.backbone.fitted(network.standard(torch.from_numpy(inputs)).numpy())
    for name, one in network.named_buffers():  # running statistics, as training leaves them
        if name.endswith("running_mean"):
            one.copy_(torch.randn_like(one) / 10)
        elif name.endswith("running_var"):
            one.copy_(torch.rand_like(one) + 0.5)
    write_folder(folder, told, network)
    return folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return made(tmp_path / "mine")


def items(modality: str) -> list[Any]:
    if modality == "image":
        return [picture("cross", 1), picture("circle", 2, 40), picture("stripes", 3).resize((50, 20)), Image.new("L", (2, 2))]
    if modality == "audio":
        return [Waveform(samples=sound(kind, 1, seconds=0.2), rate=8000) for kind in ("circle", "cross", "stripes")]
    return [Series(values=np.random.default_rng(seed).normal(size=(30 + seed, 1)).astype(np.float32)) for seed in range(3)]


# --- the contract of encoders ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("backbone", [RESNET, VIT, "pca(dim=5)"])
@pytest.mark.parametrize("modality", FRONT)
def test_an_own_encoder_keeps_the_contract(tmp_path: Path, modality: str, backbone: str) -> None:
    encoder = make(f"own:{made(tmp_path / 'mine', FRONT[modality], backbone)}", modality, CPU)
    assert isinstance(encoder, Encoder)
    given = items(modality)
    found = encoder.encode(given)
    assert found.shape == (len(given), encoder.dim)
    assert found.dtype == np.float32
    assert np.isfinite(found).all()
    backwards = encoder.encode(given[::-1])[::-1]
    single = np.concatenate([encoder.encode([one]) for one in given])
    assert np.allclose(found, backwards, atol=1e-4)
    assert np.allclose(found, single, atol=1e-4)


@pytest.mark.parametrize("backbone", [RESNET, VIT, "pca(dim=5)"])
@pytest.mark.parametrize("cut", [{}, {"layer": 0, "pool": "max"}])
def test_a_folder_gives_what_was_written(tmp_path: Path, backbone: str, cut: dict[str, Any]) -> None:
    folder = made(tmp_path / "mine", backbone=backbone, **cut)
    told, front, network = read_folder(folder)
    assert (told.front, told.backbone, told.made) == (FRONT["image"], backbone, {"recipe": {"task": "none"}})
    write_folder(tmp_path / "again", told, network)
    again = read_folder(tmp_path / "again")
    inputs = torch.from_numpy(np.stack([front(one) for one in items("image")]))
    with torch.inference_mode():
        assert torch.equal(network(inputs), again[2](inputs))
    assert (tmp_path / "again" / "model.safetensors").read_bytes() == (folder / "model.safetensors").read_bytes()
    assert not network.training


def test_numbers_of_half_precision_are_read(folder: Path) -> None:
    whole = make(f"own:{folder}", "image", CPU).encode(items("image"))
    file = folder / "model.safetensors"
    save_file({name: one.half() if one.is_floating_point() else one for name, one in load_file(file).items()}, file)
    assert np.allclose(make(f"own:{folder}", "image", CPU).encode(items("image")), whole, atol=0.05 * np.abs(whole).max())


# --- fingerprints ---------------------------------------------------------------------------------------------------


def fingerprint(name: str, modality: str = "image") -> str:
    return make_single(name, modality, CPU).fingerprint


def test_a_fingerprint_changes_with_weights_layer_and_pool_and_not_with_the_path(folder: Path, tmp_path: Path) -> None:
    own = fingerprint(f"own:{folder}")
    shutil.copytree(folder, tmp_path / "elsewhere" / "copy")
    assert fingerprint(f"own:{tmp_path / 'elsewhere' / 'copy'}") == own
    others = [
        fingerprint(f"own:{made(tmp_path / 'seed', seed=1)}"),
        fingerprint(f"own:{folder}@layer=0"),
        fingerprint(f"own:{folder}@layer=1"),
        fingerprint(f"own:{folder}@pool=max"),
        fingerprint(f"own:{made(tmp_path / 'front', 'pixels(side=13,channels=3)')}"),
    ]
    assert len({own, *others}) == 6
    assert fingerprint(f"own:{folder}@layer=2,pool=mean") == own
    assert fingerprint(f"own:{folder}@layer=-1") == own
    assert fingerprint(f"own:{made(tmp_path / 'cut', layer=0)}") == others[1]


def test_one_number_changes_a_fingerprint_and_a_story_does_not(folder: Path) -> None:
    own, file = fingerprint(f"own:{folder}"), folder / "model.safetensors"
    story = json.loads((folder / "encoder.json").read_text())
    (folder / "encoder.json").write_text(json.dumps({**story, "made": {"by": "hand"}}))
    assert fingerprint(f"own:{folder}") == own
    numbers = load_file(file)
    numbers["backbone.stem.0.weight"].view(-1)[3] += 1e-3
    save_file(numbers, file)
    assert fingerprint(f"own:{folder}") != own


def test_layer_and_pool_of_a_name_are_those_of_the_network(folder: Path) -> None:
    _, front, network = read_folder(folder)
    inputs = torch.from_numpy(np.stack([front(one) for one in items("image")]))
    with torch.inference_mode():
        wanted = network.layers(inputs)[1].amax(dim=1).numpy()
    assert np.allclose(make(f"own:{folder}@layer=1,pool=max", "image", CPU).encode(items("image")), wanted, atol=1e-5)


# --- names and folders that are none --------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "says"), [
    ("own:", "needs the folder"), ("own:{folder}/nowhere", "no encoder lies there"), ("own:{folder}@layer=3", "has 3 layers"),
    ("own:{folder}@layer=-4", "it has 3 layers"), ("own:{folder}@pool=median", "pool=median"),
    ("own:{folder}@layer=x", "layer=x"), ("own:{folder}@depth=1", "depth"), ("own:{folder}@window=1", "no length in seconds"),
])  # fmt: skip
def test_names_that_mean_nothing_are_refused(folder: Path, name: str, says: str) -> None:
    with pytest.raises(InputError, match=says):
        make(name.format(folder=folder), "image", CPU)


def test_an_encoder_of_another_modality_is_refused(folder: Path) -> None:
    with pytest.raises(InputError, match="is an encoder of image, not of audio"):
        make(f"own:{folder}", "audio", CPU)


HOSTILE: dict[str, Any] = {
    "a list": [], "a number": 3, "nothing": None, "an empty object": {}, "no backbone": {"front": FRONT["image"]},
}  # fmt: skip
CHANGED: dict[str, dict[str, Any]] = {
    "a front that is a number": {"front": 3}, "a front that is a list": {"front": ["pixels"]}, "no such front": {"front": "x"},
    "a front that is no call": {"front": "pixels(side="}, "a front of nothing": {"front": "pixels(side=0)"},
    "a backbone that is null": {"backbone": None}, "no such backbone": {"backbone": "os.system(1)"},
    "a backbone of other settings": {"backbone": "resnet(evil=1)"}, "a layer that is text": {"layer": "1"},
    "a layer that is true": {"layer": True}, "a layer too deep": {"layer": 7}, "a layer too shallow": {"layer": -9},
    "a layer beyond all": {"layer": 10**30}, "another pool": {"pool": "median"}, "a pool that is a list": {"pool": []},
    "a story that is a list": {"made": []}, "a field too many": {"pickle": "x"}, "another format": {"format": 2},
    "no format": {"format": None}, "a giant width": {"backbone": "resnet(width=100000)"},
    "giant components": {"backbone": "pca(dim=1000000000)"}, "a width beyond numbers": {"backbone": "resnet(stages=200)"},
    "giant pictures": {"front": "pixels(side=1000000)", "backbone": "pca"}, "another network": {"backbone": VIT},
    "giant patches": {"front": "pixels(side=1000000)", "backbone": "vit(patch=1)"},
}  # fmt: skip


@pytest.mark.parametrize("what", [*HOSTILE, *CHANGED, "cut", "binary", "a folder", "too deep"])
def test_descriptions_that_are_damaged_or_hostile_get_a_plain_answer(folder: Path, what: str) -> None:
    file = folder / "encoder.json"
    whole = file.read_text()
    texts: dict[str, Callable[[], Any]] = {
        "cut": lambda: file.write_text(whole[:20]),
        "binary": lambda: file.write_bytes(b"\xff\xfe\x00"),
        "too deep": lambda: file.write_text("[" * 100_000),
        "a folder": lambda: (file.unlink(), file.mkdir()),
    }
    if what in texts:
        texts[what]()
    elif what in HOSTILE:
        file.write_text(json.dumps(HOSTILE[what]))
    else:
        file.write_text(json.dumps({**json.loads(whole), **CHANGED[what]}))
    with pytest.raises((DamagedError, InputError)) as told:
        make(f"own:{folder}", "image", CPU)
    assert len(str(told.value).splitlines()) == 1
    assert len(str(told.value)) < 600


@pytest.mark.parametrize(
    "what", ["absent", "cut", "empty", "pickle", "a tensor less", "a tensor more", "a shape", "nan", "inf"]
)
def test_numbers_that_are_damaged_get_a_plain_answer(folder: Path, what: str) -> None:
    file = folder / "model.safetensors"
    numbers, whole = load_file(file), file.read_bytes()
    name = "backbone.stem.0.weight"
    if what == "absent":
        file.unlink()
    elif what in ("cut", "empty", "pickle"):
        file.write_bytes({"cut": whole[: len(whole) // 2], "empty": b"", "pickle": b"\x80\x04cos\nsystem\n."}[what])
    else:
        if what == "a tensor less":
            del numbers[name]
        elif what == "a tensor more":
            numbers["more"] = torch.zeros(1)
        elif what == "a shape":
            numbers[name] = torch.zeros(1, 2)
        else:
            numbers[name].view(-1)[0] = float(what)
        save_file(numbers, file)
    with pytest.raises(DamagedError, match="restore the folder") as told:
        make(f"own:{folder}", "image", CPU)
    assert len(str(told.value).splitlines()) == 1


# --- windows --------------------------------------------------------------------------------------------------------


def test_long_sounds_are_heard_in_windows(tmp_path: Path) -> None:
    name = f"own:{made(tmp_path / 'ear', FRONT['audio'])}"
    encoder = make(name, "audio", CPU)
    parts = [sound(kind, 1, seconds=0.3) for kind in ("circle", "cross", "stripes")]
    long = Waveform(samples=np.concatenate(parts), rate=8000)
    one = OwnEncoder(*read_folder(tmp_path / "ear"), device="cpu", name="one")
    each = one.encode([Waveform(samples=part, rate=8000) for part in parts])
    assert np.allclose(encoder.encode([long])[0], each.mean(axis=0), atol=1e-4)
    assert encoder.fingerprint != one.fingerprint
    short = make(f"{name}@window=0.1", "audio", CPU)
    assert short.fingerprint != encoder.fingerprint


# --- exports and spaces ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("backbone", [RESNET, VIT, "pca(dim=5)"])
def test_a_space_of_an_own_encoder_is_saved_found_again_and_exported(
    backbone: str, shapes: Path, tmp_path: Path, run: Callable[..., Any]
) -> None:
    folder = made(tmp_path / "mine", backbone=backbone)
    anchor = str(tiny_anchor(tmp_path / "anchor"))
    pairs = textanchor.read_pairs(shapes).only("image")
    space = telling(textanchor.fit(pairs, encoders={"image": f"own:{folder}"}, anchor=anchor, aligner="ridge"))
    space.save(tmp_path / "space")
    again = textanchor.load(tmp_path / "space")
    given = items("image")[:3]
    wanted = space.embed(given)
    assert np.allclose(again.embed(given), wanted, atol=1e-6)
    done = run("export", tmp_path / "space", "--to", "onnx", "--whole", "--modality", "image", "-o", tmp_path / "graph")
    assert done.exit_code == 0, done.stderr
    pixels = np.stack([space.encoder("image").prepare(one) for one in given]).astype(np.float32)
    session = onnxruntime.InferenceSession(str(tmp_path / "graph" / "model.onnx"), providers=["CPUExecutionProvider"])
    found = session.run(["vectors"], {"pixel_values": pixels})[0]
    assert np.ptp(wanted, axis=0).max() > 1e-4
    np.testing.assert_allclose(found, wanted, atol=1e-4 * max(1, np.abs(wanted).max()))
    told = json.loads((tmp_path / "graph" / "textanchor.json").read_text())
    assert told["preprocessing"]["side"] == 12
