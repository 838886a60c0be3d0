"""Folders that sentence-transformers loads without textanchor, with the vectors of the space."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import textanchor
from conftest import picture, sound
from test_onnx_export import filled, telling
from textanchor import registry
from textanchor.errors import InputError, MissingError
from textanchor.interop import sentence_transformers as exporting
from textanchor.interop.projection import FORMULAS
from textanchor.interop.sentence_transformers import export_sentence_transformers
from textanchor.interop.stock import joined, layers_of
from textanchor.records import Waveform
from tiny_models import tiny_anchor, tiny_hub

PICTURES = [picture("cross", 1), picture("circle", 2, 40), picture("stripes", 3, 64)]
TEXTS = ["circle", "a red cross and a blue one", "x"]


@pytest.fixture(scope="module")
def anchor(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(tiny_anchor(tmp_path_factory.mktemp("anchor") / "anchor"))


def fitted(shapes: Path, anchor: str, encoder: str, aligner: str = "ridge", modality: str = "image") -> Any:
    pairs = textanchor.read_pairs(shapes).only(modality)
    return telling(textanchor.fit(pairs, encoders={modality: encoder}, anchor=anchor, aligner=aligner), modality)


def stock(folder: Path, *, own_code: bool = False) -> Any:
    from sentence_transformers import SentenceTransformer

    return SentenceTransformer(str(folder), device="cpu", trust_remote_code=own_code)


STOCK = (
    ("vit", "", "ridge"), ("vit", "pool=cls,layer=1", "ridge"), ("dinov2", "", "gradient(epochs=2,projector=mlp)"),
    ("resnet", "pool=pooler", "ridge"), ("clip", "pool=pooler", "ridge"), ("mobilenet_v2", "pool=max", "ridge"),
    ("siglip", "", "ridge"),
)  # fmt: skip


@pytest.mark.parametrize(("family", "options", "aligner"), STOCK)
def test_texts_and_images_by_stock_modules(
    family: str, options: str, aligner: str, shapes: Path, anchor: str, tmp_path: Path
) -> None:
    encoder = f"hub:{tiny_hub(tmp_path / 'model', family)}" + (f"@{options}" if options else "")
    space = fitted(shapes, anchor, encoder, aligner)
    done = export_sentence_transformers(space, tmp_path / "st")
    assert not done.own_code
    assert done.modalities == ("text", "image")
    assert not list((tmp_path / "st").rglob("*.py"))
    model = stock(tmp_path / "st")
    np.testing.assert_allclose(model.encode(TEXTS), space.embed(TEXTS), atol=1e-5)
    wanted = space.embed(PICTURES)
    assert "mobilenet" in family or np.ptp(wanted, axis=0).max() > 1e-3, "pictures differ"
    np.testing.assert_allclose(model.encode(PICTURES), wanted, atol=1e-5 * max(1, np.abs(wanted).max()))


def test_vectors_as_they_are_compared(shapes: Path, anchor: str, tmp_path: Path) -> None:
    space = fitted(shapes, anchor, f"hub:{tiny_hub(tmp_path / 'model')}", "ridge(view=whitening(shrinkage=1))")
    export_sentence_transformers(space, tmp_path / "st", compared_with="image")
    model = stock(tmp_path / "st")
    np.testing.assert_allclose(model.encode(TEXTS), space.embed(TEXTS, compared_with="image"), atol=1e-5)
    np.testing.assert_allclose(model.encode(PICTURES), space.embed(PICTURES, compared_with="image"), atol=1e-5)


def test_the_anchors_prompt_goes_along(shapes: Path, anchor: str, tmp_path: Path) -> None:
    space = fitted(shapes, f"{anchor}@prompt=query:", f"hub:{tiny_hub(tmp_path / 'model')}")
    export_sentence_transformers(space, tmp_path / "st")
    model = stock(tmp_path / "st")
    np.testing.assert_allclose(model.encode(TEXTS), space.embed(TEXTS), atol=1e-5)
    np.testing.assert_allclose(model.encode(PICTURES), space.embed(PICTURES), atol=1e-5)


@pytest.mark.parametrize("options", ["", "@pool=max"])
def test_kernels_and_other_pools_bring_one_file_of_code(options: str, shapes: Path, anchor: str, tmp_path: Path) -> None:
    aligner = "kernel-ridge" if not options else "ridge"
    space = fitted(shapes, anchor, f"hub:{tiny_hub(tmp_path / 'model')}{options}", aligner)
    done = export_sentence_transformers(space, tmp_path / "st")
    assert done.own_code
    assert "textanchor" not in json.dumps(json.loads(next((tmp_path / "st").rglob("router_config.json")).read_text()))
    with pytest.raises(ValueError, match="trust_remote_code=True"):
        stock(tmp_path / "st")
    np.testing.assert_allclose(stock(tmp_path / "st", own_code=True).encode(PICTURES), space.embed(PICTURES), atol=1e-5)


@pytest.mark.parametrize("compared_with", [None, "image"])
def test_the_default_image_encoder_comes_as_a_graph(
    compared_with: str | None, shapes: Path, anchor: str, tmp_path: Path
) -> None:
    space = fitted(shapes, anchor, "efficientnet-lite0", "kernel-ridge")
    done = export_sentence_transformers(space, tmp_path / "st", compared_with=compared_with)
    assert done.own_code
    assert {path.name for path in (tmp_path / "st").rglob("*.py")} == {"pictures.py"}
    model = stock(tmp_path / "st", own_code=True)
    given = [*PICTURES, picture("cross", 9, 300)]
    np.testing.assert_allclose(model.encode(given), space.embed(given, compared_with=compared_with), atol=1e-5)
    np.testing.assert_allclose(model.encode(TEXTS), space.embed(TEXTS, compared_with=compared_with), atol=1e-5)


def test_sounds_of_one_length(shapes: Path, anchor: str, tmp_path: Path) -> None:
    space = fitted(shapes, anchor, f"hub:{tiny_hub(tmp_path / 'model', 'ast')}@pool=cls", modality="audio")
    done = export_sentence_transformers(space, tmp_path / "st")
    assert not done.own_code
    heard = [Waveform(samples=sound("cross", seed, 16000), rate=16000) for seed in range(3)]
    given = [{"audio": {"array": one.samples, "sampling_rate": 16000}} for one in heard]
    np.testing.assert_allclose(stock(tmp_path / "st").encode(given), space.embed(heard), atol=1e-5)
    mean = fitted(shapes, anchor, f"hub:{tmp_path / 'model'}", modality="audio")
    assert export_sentence_transformers(mean, tmp_path / "mean").own_code, "two tokens stand before those of frames"


@pytest.mark.parametrize("name", [name for name in registry.BUILT_IN["projector"] if name != "attention"])
def test_every_projector_of_vectors_has_its_formula(name: str) -> None:
    made: Any = filled(name)
    x = torch.randn(9, 7)
    with torch.inference_mode():
        ours, theirs = made(x), FORMULAS[name](x, made.state_dict(), made.settings)
        torch.testing.assert_close(theirs, ours, atol=1e-5, rtol=1e-5)
        layers = layers_of(made)
        assert (layers is not None) == (name in ("linear", "mlp"))
        for layer in joined(layers or []):
            x = layer.activation()(x.double() @ layer.weight.T + layer.bias)
        if layers:
            torch.testing.assert_close(x.float(), ours, atol=1e-5, rtol=1e-5)


def test_it_loads_where_textanchor_is_not_installed(shapes: Path, anchor: str, tmp_path: Path) -> None:
    space = fitted(shapes, anchor, f"hub:{tiny_hub(tmp_path / 'model')}")
    export_sentence_transformers(space, tmp_path / "st")
    code = (
        "import sys; sys.modules['textanchor'] = None\n"
        "import numpy as np\nfrom PIL import Image\nfrom sentence_transformers import SentenceTransformer\n"
        "model = SentenceTransformer(sys.argv[1], device='cpu')\n"
        "np.save(sys.argv[2], np.concatenate([model.encode(['circle']), model.encode([Image.open(sys.argv[3])])]))\n"
    )
    file = shapes / "image" / "cross" / "03.png"
    environment = {**os.environ, "HOME": str(tmp_path / "home"), "HF_HOME": str(tmp_path / "home"), "HF_HUB_OFFLINE": "1"}
    environment.pop("PYTHONPATH", None)
    command = [sys.executable, "-c", code, str(tmp_path / "st"), str(tmp_path / "out.npy"), str(file)]
    subprocess.run(command, check=True, env=environment, cwd=tmp_path, capture_output=True)
    np.testing.assert_allclose(np.load(tmp_path / "out.npy"), space.embed(["circle", file]), atol=1e-5)


def test_what_no_module_holds_is_said(
    space: Any, shapes: Path, anchor: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = export_sentence_transformers(space, tmp_path / "texts")
    assert done.modalities == ("text",)
    assert "encoder signal is no module of sentence-transformers" in done.left_out["image"]
    np.testing.assert_allclose(stock(tmp_path / "texts").encode(TEXTS), space.embed(TEXTS), atol=1e-5)
    with pytest.raises(InputError, match="encoder signal is no module"):
        export_sentence_transformers(space, tmp_path / "no", modalities=["image"])
    with pytest.raises(InputError, match="no modality 'smell'"):
        export_sentence_transformers(space, tmp_path / "no", modalities=["smell"])
    bent = fitted(shapes, anchor, f"hub:{tiny_hub(tmp_path / 'model')}@size=48")
    with pytest.raises(InputError, match="bent to another size"):
        export_sentence_transformers(bent, tmp_path / "no", modalities=["image"])
    monkeypatch.setattr(exporting, "_tried", lambda *_, **__: 0.1)
    with pytest.raises(InputError, match=r"differ from ours by 1\.0e-01; it is not handed over"):
        export_sentence_transformers(space, tmp_path / "no")
    assert not (tmp_path / "no").exists()
    monkeypatch.setitem(sys.modules, "sentence_transformers.base.modules", None)
    with pytest.raises(MissingError, match="pip install -U"):
        export_sentence_transformers(space, tmp_path / "no")


def test_from_the_command_line(run: Callable[..., Any], saved: Path, tmp_path: Path) -> None:
    done = run("export", saved, "--to", "sentence-transformers", "-o", tmp_path / "st")
    assert done.exit_code == 0, done.stderr
    assert "left out image" in done.stderr
    assert "SentenceTransformer(" in done.stdout
