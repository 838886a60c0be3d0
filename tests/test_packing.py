"""A space with its encoders in one folder."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import textanchor
from conftest import ROOT, picture, write_shapes
from test_onnx_export import telling
from textanchor import pack
from textanchor.errors import DamagedError, InputError
from textanchor.space.storage import fingerprint
from tiny_models import tiny_anchor, tiny_hub, tiny_onnx

ELSEWHERE = """
import sys
from pathlib import Path
import numpy as np
import textanchor
space = textanchor.load(sys.argv[1])
texts = space.embed(["circle", "a red cross"])
np.save(Path(sys.argv[2]) / "texts.npy", texts)
for kind, ending in (("image", "png"), ("audio", "wav")):
    if kind in space.modalities:
        np.save(Path(sys.argv[2]) / f"{kind}.npy", space.embed([Path(sys.argv[3]) / kind / "cross" / f"01.{ending}"]))
"""


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny anchor, an image model and a graph that hears, in a folder that can be moved away."""
    root = tmp_path_factory.mktemp("here") / "models"
    root.mkdir()
    tiny_anchor(root / "anchor")
    tiny_hub(root / "see+hear, a=b", "vit")
    tiny_onnx(root / "hear", "audio")
    return root


def elsewhere(folder: Path, out: Path, shapes: Path) -> dict[str, np.ndarray]:
    """Vectors of another process that has no cache, no home and no network."""
    empty = out / "nothing"
    empty.mkdir(parents=True)
    told = {name: str(empty) for name in ("HOME", "HF_HOME", "HF_HUB_CACHE", "XDG_CACHE_HOME", "TEXTANCHOR_HOME")}
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT / "src"), "HF_HUB_OFFLINE": "1", **told}
    environment |= {"OMP_NUM_THREADS": "1", "http_proxy": "http://127.0.0.1:9", "https_proxy": "http://127.0.0.1:9"}
    command = [sys.executable, "-c", ELSEWHERE, str(folder), str(out), str(shapes)]
    subprocess.run(command, check=True, env=environment, cwd=empty)
    return {path.stem: np.load(path) for path in out.glob("*.npy")}


def test_it_works_where_nothing_else_is(models: Path, shapes: Path, tmp_path: Path) -> None:
    encoders = {"image": f"hub:{models / 'see+hear, a=b'}@pool=cls", "audio": f"onnx:{models / 'hear'}"}
    space = textanchor.fit(shapes, anchor=str(models / "anchor"), encoders=encoders, aligner="ridge")
    space = telling(telling(space), "audio")
    before = {kind: space.embed([shapes / kind / "cross" / f"01.{end}"]) for kind, end in (("image", "png"), ("audio", "wav"))}
    before["texts"] = space.embed(["circle", "a red cross"])
    packed = pack(space, tmp_path / "packed")
    assert set(packed.sizes) == {"text", "image", "audio"}
    assert all(size > 500 for size in packed.sizes.values())
    assert str(models) not in (packed.folder / "space.json").read_text()
    moved = tmp_path / "moved" / "there"
    moved.parent.mkdir()
    packed.folder.rename(moved)
    hidden = models.with_name("gone")
    models.rename(hidden)
    try:
        after = elsewhere(moved, tmp_path / "out", shapes)
        again = textanchor.load(moved)
        assert fingerprint(again) == fingerprint(space)
        assert again.stories[-1].recipe.encoders["audio"] == f"onnx:{moved / 'encoders' / 'audio' / 'hear'}"
    finally:
        hidden.rename(models)
    assert after.keys() == before.keys()
    for name, vectors in before.items():
        np.testing.assert_allclose(after[name], vectors, atol=1e-6)
    with pytest.raises(InputError, match=r"encoders lie in it.*save to another folder \(-o\), and pack that"):
        again.save(moved, overwrite=True)
    twice = pack(again, tmp_path / "twice")
    assert twice.sizes == packed.sizes


def test_the_weights_that_packages_carry_go_along(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    space = textanchor.fit(write_shapes(tmp_path / "shapes", sounds=False), aligner="ridge", encoders={"image": "signal"})
    packed = pack(space, tmp_path / "packed")
    assert packed.sizes["image"] == 0
    assert packed.sizes["text"] > 80e6
    from textanchor.encoders import bert, efficientnet_lite, places, sentence

    monkeypatch.setattr(sentence, "find_spec", lambda _: None)
    again = textanchor.load(tmp_path / "packed")
    assert isinstance(again.encoder("text")._model, bert.Bert), "as quick as the installed one"
    assert again.embed("a red cross").tobytes() == space.embed("a red cross").tobytes()
    held = efficientnet_lite.packaged()
    copy = shutil.copyfile(held, tmp_path / "weights.pth")
    called = textanchor.encoders.parse(f"efficientnet-lite0:{copy}")
    assert places.place_of(called, offline=True) == copy
    monkeypatch.setattr(efficientnet_lite, "find_spec", lambda _: None)
    made = textanchor.encoders.make(f"efficientnet-lite0:{copy}", "image", textanchor.Runtime(device="cpu"))
    assert made.encode([picture("cross", 1)]).shape == (1, 1280)
    copy.write_bytes(b"other")
    with pytest.raises(DamagedError, match="have sha256"):
        textanchor.encoders.make(f"efficientnet-lite0:{copy}", "image", textanchor.Runtime(device="cpu"))


@pytest.mark.parametrize("place", ["../../secret", "/etc", "image/../../..", "link/away", "nowhere", ""])
def test_hostile_places_are_refused(place: str, saved: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(saved, tmp_path / "space"))
    (folder / "encoders").mkdir()
    (folder / "encoders" / "link").symlink_to(tmp_path)
    (tmp_path / "away").mkdir()
    facts = json.loads((folder / "space.json").read_text())
    facts["modalities"]["image"]["encoder"] = f"hub:pack:{place}"
    (folder / "space.json").write_text(json.dumps(facts))
    with pytest.raises(DamagedError, match=r"outside its folder|is missing; the packed space is incomplete"):
        textanchor.load(folder)


def test_from_the_command_line(run: Callable[..., Any], saved: Path, shapes: Path, tmp_path: Path) -> None:
    done = run("pack", saved, "-o", tmp_path / "packed")
    assert done.exit_code == 0, done.stderr
    assert "text" in done.stdout
    assert "90." in done.stdout or "MB" in done.stdout
    assert textanchor.load(tmp_path / "packed").modalities.keys() == {"image", "audio"}
    assert run("pack", saved, "-o", tmp_path / "packed").exit_code == 2
    done = run("fit", shapes, "--into", tmp_path / "packed")
    assert done.exit_code == 2
    assert "save to another folder (-o)" in done.stderr
    assert run("fit", shapes, "--into", tmp_path / "packed", "-o", tmp_path / "other", "--aligner", "ridge").exit_code == 0


def test_a_model_that_serves_twice_is_copied_once(tmp_path: Path) -> None:
    rows = [{"item_text": f"{word} {number}", "text": word} for word in ("ab", "cd", "ef") for number in range(9)]
    anchor = str(tiny_anchor(tmp_path / "anchor"))
    space = textanchor.fit(rows, anchor=anchor, encoders={"document": anchor}, aligner="ridge")
    packed = pack(space, tmp_path / "packed")
    assert packed.sizes["document"] == 0 < packed.sizes["text"]
    again = textanchor.load(tmp_path / "packed")
    assert again.modalities["document"].encoder == again.anchor
    numbers = textanchor.align(np.eye(12, 4, dtype=np.float32), ["ab", "cd"] * 6, anchor=anchor, aligner="ridge")
    assert pack(numbers, tmp_path / "numbers").sizes["vectors"] == 0
