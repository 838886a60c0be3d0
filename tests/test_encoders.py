"""One contract for every encoder, and what is particular to each."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from conftest import picture, sound
from textanchor import registry
from textanchor.encoders import Encoder, Staged, canonical, make, outputs, parse
from textanchor.errors import DamagedError, InputError, MissingError, UnknownNameError
from textanchor.grammar import Call
from textanchor.records import Series, Waveform
from textanchor.runtime import Runtime
from tiny_models import AUDIO, IMAGE, tiny_hub, tiny_onnx

CPU = Runtime(device="cpu", offline=True)
PICTURES = [picture(kind, seed, side) for kind, seed, side in (("circle", 1, 24), ("cross", 2, 40), ("stripes", 3, 64))]
PICTURES += [PICTURES[1].resize((90, 30)), Image.new("RGB", (3, 3), "white")]
SOUNDS = [Waveform(samples=sound("circle", k, 8000, 0.2 + 0.3 * k), rate=8000) for k in range(4)]
SOUNDS += [Waveform(samples=np.zeros(5, np.float32), rate=44100)]
TEXTS = ["a dog", "a considerably longer sentence about two dogs, a cat and the sea", "x", "Straße 7", "a dog"]
MOVES = [
    Series(values=np.random.default_rng(n).normal(size=(n, 3)).astype(np.float32), rate=rate)
    for n, rate in ((1, None), (9, 10.0), (50, 50.0), (777, 50.0), (64, None))
]
GIVEN = {"image": PICTURES, "audio": SOUNDS, "text": TEXTS, "document": TEXTS, "series": MOVES}


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    root = tmp_path_factory.mktemp("encoders")
    graphs = {"HEAR": "audio", "SEE": "image", "FEEL": "series"}
    made = {key: str(tiny_onnx(root / key, modality)) for key, modality in graphs.items()}
    made |= {f"<{family}>": str(tiny_hub(root / family, family)) for family in (*IMAGE, *AUDIO)}
    return made | {"HUB": made["<vit>"]}


CASES = [
    ("image", "signal"),
    ("audio", "signal"),
    ("series", "signal"),
    ("series", "signal@channels=3,rate=20"),
    ("audio", "signal@window=0.3,hop=0.1"),
    ("text", "st:all-MiniLM-L6-v2"),
    ("document", "all-MiniLM-L6-v2@prompt=clustering:"),
    *(("image", f"hub:<{family}>") for family in IMAGE),
    *(("audio", f"hub:<{family}>") for family in AUDIO),
    ("image", "hub:HUB@pool=max,layer=1"),
    ("image", "hub:HUB@pool=cls,size=32"),
    ("image", "hub:HUB@pool=pooler"),
    ("image", "hub:<convnext>@size=42,layer=-2"),
    ("image", "hub:<dinov2>@dtype=bfloat16"),
    ("audio", "hub:<ast>@pool=cls"),
    ("audio", "hub:<whisper>@window=0.5,pool=max"),
    ("image", "onnx:SEE"),
    ("audio", "onnx:HEAR"),
    ("series", "onnx:FEEL"),
    ("audio", "spectrogram+signal"),
    ("audio", "spectrogram+hub:HUB@pool=cls"),
    ("audio", "spectrogram@window=0.5+signal"),
]
ELSEWHERE = {"timm", "open_clip"}  # extras, whose own tests stand below


def filled(name: str, places: dict[str, str]) -> str:
    for key, place in places.items():
        name = name.replace(key, place)
    return name


@pytest.mark.parametrize(("modality", "name"), CASES, ids=lambda value: value)
def test_contract(modality: str, name: str, places: dict[str, str]) -> None:
    held: Encoder = make(filled(name, places), modality, CPU)
    assert isinstance(held, Encoder)
    assert held.modality == modality
    batch = GIVEN[modality]
    together = held.encode(batch)
    assert together.shape == (len(batch), held.dim)
    assert together.dtype == np.float32
    assert np.isfinite(together).all()
    alone = np.concatenate([held.encode([value]) for value in batch])
    bound = 1e-4 if "dtype" not in name else 0.02  # half precision is half as precise
    np.testing.assert_allclose(together, alone, atol=bound)
    np.testing.assert_allclose(held.encode(batch[::-1])[::-1], together, atol=bound)
    if "mobilenet" not in name:  # so small at random that its output is constant
        assert len(np.unique(together.round(3), axis=0)) >= len(batch) - 1, "different items have different latents"
    if isinstance(held, Staged):
        assert [out.fingerprint for out in outputs(held)] == [held.fingerprint]
    assert make(filled(name, places), modality, CPU).fingerprint == held.fingerprint


def test_the_contract_covers_every_registered_encoder() -> None:
    covered = {parse(name).name for _, name in CASES} | {f"signal-{modality}" for modality, name in CASES if name == "signal"}
    assert set(registry.BUILT_IN["encoder"]) - ELSEWHERE <= covered


def test_fingerprints_differ_with_options_and_weights_but_not_with_the_place(places: dict[str, str], tmp_path: Path) -> None:
    names = [f"hub:{places['HUB']}{tail}" for tail in ("", "@pool=max", "@layer=1", "@size=48")]
    prints = [make(name, "image", CPU).fingerprint for name in names]
    assert len(set(prints)) == 4
    shutil.copytree(places["HUB"], tmp_path / "moved")
    assert make(f"hub:{tmp_path / 'moved'}", "image", CPU).fingerprint == prints[0]
    shutil.copytree(places["HEAR"], tmp_path / "hear")
    before = make(f"onnx:{tmp_path / 'hear'}", "audio", CPU).fingerprint
    assert before == make(f"onnx:{places['HEAR']}", "audio", CPU).fingerprint
    side = json.loads((tmp_path / "hear" / "encoder.json").read_text())
    (tmp_path / "hear" / "encoder.json").write_text(json.dumps({**side, "sample_rate": 8000}))
    assert make(f"onnx:{tmp_path / 'hear'}", "audio", CPU).fingerprint != before


def test_names_are_taken_apart() -> None:
    call = parse("hub:facebook/dinov2-small@layer=-3,pool=mean,size=224")
    assert call == Call(name="hub", argument="facebook/dinov2-small", settings={"layer": "-3", "pool": "mean", "size": "224"})
    assert parse("thenlper/gte-base").name == "st"
    assert parse("signal").name == "signal"
    outer = parse("spectrogram+hub:a/b@pool=cls")
    assert (outer.name, outer.inner) == ("spectrogram", "hub:a/b@pool=cls")
    assert parse("hub:/data/a@b/model").argument == "/data/a@b/model"


def test_a_local_folder_becomes_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "model").mkdir()
    monkeypatch.chdir(tmp_path)
    assert canonical("hub:model@pool=cls") == f"hub:{tmp_path / 'model'}@pool=cls"
    assert canonical("spectrogram+hub:model") == f"spectrogram+hub:{tmp_path / 'model'}"
    assert canonical("thenlper/gte-base") == "st:thenlper/gte-base"


def raises(kind: type[Exception], match: str, name: str, modality: str, runtime: Runtime = CPU) -> None:
    with pytest.raises(kind, match=match) as caught:
        make(name, modality, runtime)
    assert "\n" not in str(caught.value)


def test_what_cannot_be_meant_is_said(places: dict[str, str], tmp_path: Path) -> None:
    raises(UnknownNameError, "no encoder is called 'hubb'; did you mean 'hub'", "hubb:x", "image")
    raises(InputError, "encoder signal has no option 'size'", "signal@size=3", "image")
    raises(UnknownNameError, "no encoder is called 'signal-text'", "signal", "text")
    raises(InputError, r"no such folder", f"hub:{tmp_path / 'gone'}", "image")
    raises(InputError, "folder without a usable model", f"hub:{tmp_path}", "image")
    raises(MissingError, "hf download nobody/no-such-model", "hub:nobody/no-such-model", "image")
    raises(MissingError, "hf download nobody/no-such-model", "st:nobody/no-such-model", "text")
    raises(InputError, "pool=median: expected one of mean, max, cls, pooler", f"hub:{places['HUB']}@pool=median", "image")
    raises(InputError, "layer=9: this model has the layers", f"hub:{places['HUB']}@layer=9", "image")
    raises(InputError, "size=big: expected a whole number", f"hub:{places['HUB']}@size=big", "image")
    raises(InputError, "is a model of type vit for image, not for audio", f"hub:{places['HUB']}", "audio")
    raises(InputError, "is for audio, not for image", f"onnx:{places['HEAR']}", "image")
    raises(InputError, "no model.onnx there", f"onnx:{tmp_path}", "image")
    raises(InputError, "device 'cuda:7' is not on this machine", "signal", "image", Runtime(device="cuda:7")) if not _cuda() else None


def _cuda() -> bool:
    import torch

    return torch.cuda.is_available()


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (lambda side: side.update(modality="smell"), "`modality` must be one of audio, image"),
        (lambda side: side.pop("sample_rate"), "`sample_rate` is missing"),
        (lambda side: side.update(input="z"), "input 'z' is not in the graph"),
    ],
)
def test_the_sidecar_is_checked(change: Callable[[dict], Any], match: str, tmp_path: Path) -> None:
    folder = tiny_onnx(tmp_path / "m", "audio")
    side = json.loads((folder / "encoder.json").read_text())
    change(side)
    (folder / "encoder.json").write_text(json.dumps(side))
    raises(InputError, match, f"onnx:{folder}", "audio")


def test_damaged_weights_are_named(tmp_path: Path) -> None:
    folder = tiny_onnx(tmp_path / "m", "audio")
    (folder / "model.onnx").write_bytes(b"not a graph")
    raises(DamagedError, "model.onnx cannot be loaded", f"onnx:{folder}", "audio")
    (folder / "encoder.json").unlink()
    raises(DamagedError, "encoder.json is missing", f"onnx:{folder}", "audio")


def test_altered_default_weights_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    from textanchor.encoders import sentence

    monkeypatch.setattr(sentence, "PACKAGED_SHA256", "0" * 64)
    raises(DamagedError, "have sha256 53aa51172d14..., expected 000000000000", "st:all-MiniLM-L6-v2", "text")


def test_loudness_does_not_count_for_signal() -> None:
    held = make("signal", "audio", CPU)
    loud = Waveform(samples=SOUNDS[2].samples * 2, rate=8000)
    np.testing.assert_allclose(held.encode([loud]), held.encode([SOUNDS[2]]), atol=1e-3)


def test_a_spectrogram_shows_low_notes_at_the_bottom() -> None:
    from textanchor.encoders.spectrogram import picture as drawn

    time = np.arange(16000) / 16000
    low, high = (np.asarray(drawn(Waveform(samples=np.sin(2 * np.pi * hz * time).astype(np.float32), rate=16000)))
                 for hz in (200, 6000))  # fmt: skip
    assert low.shape[0] == 128
    assert low[..., 0].mean(axis=1).argmax() > 100
    assert high[..., 0].mean(axis=1).argmax() < 30
