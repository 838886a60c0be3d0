"""Graphs that give the vectors of a space."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
import torch

import textanchor
from conftest import picture
from textanchor import registry
from textanchor.errors import InputError, MissingError
from textanchor.interop import onnx
from textanchor.projectors import Kept
from textanchor.records import Choice
from textanchor.space.fitted import Fitted
from textanchor.space.storage import fingerprint
from tiny_models import tiny_anchor, tiny_hub

SIZES = {"dim_in": 7, "dim_out": 16}
MORE: dict[str, dict[str, Any]] = {
    "kernel": {"landmarks": 6},
    "relative": {"landmarks": 6, "k": 3, "power": 2.0},
    "residual": {"base": "linear", "base_settings": SIZES},
    "chain": {
        "first": "linear", "first_settings": {"dim_in": 7, "dim_out": 4}, "second": "skip-mlp",
        "second_settings": {"dim_in": 4, "dim_out": 16},
    },
    "names": {"classes": 9, "temperature": 0.7, "standardise": True},
    "prior": {
        "base": "kernel", "base_settings": {**SIZES, "landmarks": 4},
        "names_settings": {**SIZES, "classes": 3, "temperature": 1.0},
    },
}  # fmt: skip


def run_graph(folder: Path, **inputs: np.ndarray) -> np.ndarray:
    session = onnxruntime.InferenceSession(str(folder / "model.onnx"), providers=["CPUExecutionProvider"])
    return session.run(["vectors"], inputs)[0]


def telling(space: Any, modality: str = "image") -> Any:
    """The space with random numbers in its projector: what is fitted to a random model's latents hardly depends on them."""
    own = space.modalities[modality]
    torch.manual_seed(1)
    state = {name: torch.from_numpy(value.copy()) for name, value in own.projector.numbers.items()}
    for name, value in state.items():
        if name not in ("gamma", "mean", "scale", "landmarks"):
            state[name] = torch.randn(value.shape) * 0.3
    numbers = {name: value.numpy() for name, value in state.items()}
    return space.with_modalities({modality: replace(own, projector=Kept(own.projector.name, own.projector.settings, numbers))})


def filled(name: str) -> torch.nn.Module:
    """A projector of random numbers, all of them above 0 so that none divides by it."""
    torch.manual_seed(0)
    made = registry.load("projector", name)(**SIZES, **MORE.get(name, {})).eval()
    for held in (*made.parameters(), *made.buffers()):
        if held.is_floating_point():
            held.data.copy_(torch.rand(held.shape) * 0.5 + 0.1)
    return made


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A space of a tiny anchor and vectors made elsewhere, whose view is no identity."""
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(60, 7)).astype(np.float32)
    texts = [["ab", "cd", "ef", "gh i", "jk", "lm"][row % 6] for row in range(60)]
    anchor = str(tiny_anchor(tmp_path_factory.mktemp("anchor") / "anchor"))
    return textanchor.align(vectors, texts, modality="mine", anchor=anchor, aligner="ridge(view=whitening(shrinkage=1))")


@pytest.mark.parametrize("name", registry.BUILT_IN["projector"])
def test_every_projector_is_a_graph(name: str, small: Any, tmp_path: Path) -> None:
    made = filled(name)
    mine = Fitted(
        encoder="vectors@dim=7", fingerprint="x", projector=Kept.of(made), view=small.modalities["mine"].view, choice=Choice()
    )
    space = small.with_modalities({"mine": mine})
    onnx.export_onnx(space, tmp_path / "raw", modality="mine")
    rng = np.random.default_rng(1)
    if getattr(made, "ragged", False):
        inputs = {"tokens": rng.normal(size=(9, 4, 7)).astype(np.float32), "mask": np.ones((9, 4), bool)}
    else:
        inputs = {"latents": rng.normal(size=(9, 7)).astype(np.float32)}
    found = run_graph(tmp_path / "raw", **inputs)
    with torch.inference_mode():
        ours = made(*map(torch.from_numpy, inputs.values())).numpy()
    np.testing.assert_allclose(found, ours, atol=1e-5 * max(1, np.abs(ours).max()))
    onnx.export_onnx(space, tmp_path / "view", modality="mine", compared_with="mine")
    under = space.geometry.between("mine", "mine").query_unit(ours)
    np.testing.assert_allclose(run_graph(tmp_path / "view", **inputs), under, atol=1e-5)
    told = json.loads((tmp_path / "view" / "textanchor.json").read_text())
    assert told["fingerprint"] == fingerprint(space, only="mine")
    assert told["compared with"] == "mine"
    assert told["difference"] <= 1e-5


FAMILIES = (
    ("vit", "pool=mean"), ("vit", "pool=cls,layer=1"), ("dinov2", "pool=max"), ("mobilenet_v1", "size=32"),
    ("resnet", "pool=pooler"), ("siglip", ""),
)  # fmt: skip


@pytest.mark.parametrize(("family", "options"), FAMILIES)
def test_an_image_model_and_its_projector(family: str, options: str, shapes: Path, tmp_path: Path) -> None:
    encoder = f"hub:{tiny_hub(tmp_path / 'model', family)}" + (f"@{options}" if options else "")
    anchor = str(tiny_anchor(tmp_path / "anchor"))
    pairs = textanchor.read_pairs(shapes).only("image")
    space = telling(textanchor.fit(pairs, encoders={"image": encoder}, anchor=anchor, aligner="ridge"))
    onnx.export_onnx(space, tmp_path / "graph", modality="image", whole=True)
    pictures = [picture("cross", 1), picture("circle", 2, 40), picture("stripes", 3, 64)]
    pixels = np.stack([space.encoder("image").prepare(one)["pixel_values"] for one in pictures])
    wanted = space.embed(pictures)
    assert "mobilenet" in family or np.ptp(wanted, axis=0).max() > 1e-3, "pictures differ"
    np.testing.assert_allclose(run_graph(tmp_path / "graph", pixel_values=pixels), wanted, atol=1e-5 * max(1, wanted.max()))
    assert (tmp_path / "graph" / "preprocessor_config.json").is_file()


def test_texts(small: Any, tmp_path: Path) -> None:
    onnx.export_onnx(small, tmp_path / "graph", modality="text", whole=True, compared_with="mine")
    from tokenizers import Tokenizer

    texts = ["ab", "cd ef gh abcdefgh", "x"]
    reader = Tokenizer.from_file(str(tmp_path / "graph" / "tokenizer.json"))
    reader.enable_padding()
    read = reader.encode_batch(texts)
    inputs = {
        "input_ids": np.array([one.ids for one in read]),
        "attention_mask": np.array([one.attention_mask for one in read]),
    }
    np.testing.assert_allclose(run_graph(tmp_path / "graph", **inputs), small.embed(texts, compared_with="mine"), atol=1e-5)


def test_the_default_image_encoder(shapes: Path, tmp_path: Path) -> None:
    pairs = textanchor.read_pairs(shapes).only("image")
    space = textanchor.fit(pairs, encoders={"image": "efficientnet-lite0"}, aligner="ridge")
    onnx.export_onnx(space, tmp_path / "graph", modality="image", whole=True)
    pictures = [picture("cross", 1), picture("circle", 2, 40)]
    pixels = np.stack([space.encoder("image").prepare(one) for one in pictures])
    np.testing.assert_allclose(run_graph(tmp_path / "graph", pixel_values=pixels), space.embed(pictures), atol=1e-5)


def test_what_cannot_be_a_graph_is_said(space: Any, small: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "graph"
    with pytest.raises(InputError, match=r"image: encoder signal cannot be a part of a graph.*export the projector alone"):
        onnx.export_onnx(space, out, modality="image", whole=True)
    with pytest.raises(InputError, match="texts have no projector"):
        onnx.export_onnx(space, out, modality="text")
    with pytest.raises(InputError, match="video is composed of others"):
        onnx.export_onnx(space, out, modality="video")
    with pytest.raises(InputError, match="no modality 'smell'"):
        onnx.export_onnx(space, out, modality="smell")
    assert not out.exists()
    monkeypatch.setattr(onnx, "_tried", lambda *_: 0.1)
    with pytest.raises(InputError, match=r"differ from ours by 1\.0e-01; it is not handed over"):
        onnx.export_onnx(small, out, modality="mine")
    assert not out.exists()
    monkeypatch.setattr(onnx, "installed", lambda _: None)
    with pytest.raises(MissingError, match=r"pip install 'textanchor\[onnx\]'"):
        onnx.export_onnx(small, out, modality="mine")


def test_from_the_command_line(run: Callable[..., Any], saved: Path, tmp_path: Path) -> None:
    done = run("export", saved, "--to", "onnx", "--modality", "image", "-o", tmp_path / "graph")
    assert done.exit_code == 0, done.stderr
    assert "latents" in done.stdout
    assert run("export", saved, "--to", "onnx", "-o", tmp_path / "other").exit_code == 2
    done = run("export", saved, "--to", "onnx", "--modality", "image", "--packed", "-o", tmp_path / "other")
    assert done.exit_code == 2
    assert "--packed means nothing for --to onnx; it belongs to --to hub" in done.stderr
