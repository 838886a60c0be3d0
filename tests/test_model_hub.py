"""Folders of the model hub: the card, pushing, and pulling back what a stranger may have written."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from fnmatch import fnmatch
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import textanchor
from conftest import ROOT, picture
from fake_hub import fake_hub
from test_onnx_export import telling
from textanchor import export_hub, pull, push
from textanchor.errors import DamagedError, InputError, MissingError
from textanchor.interop.hub import upload
from textanchor.runtime import Runtime
from textanchor.space.storage import fingerprint
from tiny_models import tiny_anchor, tiny_hub

ONLINE = Runtime(device="cpu", offline=False)


class FakeHub:
    """What the library's client asks of the hub, answered from a folder."""

    def __init__(self, root: Path) -> None:
        self.root, self.calls = root, list[str]()

    def create_repo(self, repository: str, *, private: bool, exist_ok: bool) -> None:
        (self.root / repository).mkdir(parents=True, exist_ok=exist_ok)
        self.calls.append(f"private={private}")

    def upload_folder(self, *, repo_id: str, folder_path: str, commit_message: str) -> Any:
        shutil.copytree(folder_path, self.root / repo_id, dirs_exist_ok=True)
        return SimpleNamespace(commit_url=f"hub/{repo_id}/commit/1")

    def model_info(self, repository: str, *, revision: Any, files_metadata: bool, timeout: float) -> Any:
        place = self.root / repository
        if not place.is_dir():
            raise OSError("404")
        names = [path.relative_to(place).as_posix() for path in place.rglob("*") if path.is_file()]
        return SimpleNamespace(sha="abc", siblings=[SimpleNamespace(rfilename=name, size=5) for name in names])

    def download(self, repository: str, *, revision: str, local_dir: Path, allow_patterns: list[str]) -> str:
        assert revision == "abc"
        place = self.root / repository
        for path in place.rglob("*"):
            name = path.relative_to(place).as_posix()
            if path.is_file() and any(fnmatch(name, pattern) for pattern in allow_patterns):
                (local_dir / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, local_dir / name)
        return str(local_dir)


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeHub:
    fake = FakeHub(tmp_path / "hub")
    monkeypatch.setattr("huggingface_hub.HfApi", lambda: fake)
    monkeypatch.setattr("huggingface_hub.snapshot_download", fake.download)
    return fake


def test_pushed_and_pulled_back_it_is_the_same(space: Any, hub: FakeHub, tmp_path: Path) -> None:
    assert push(space, "me/shapes", licence="apache-2.0") == "hub/me/shapes/commit/1"
    assert hub.calls == ["private=True"]
    again = pull("me/shapes", tmp_path / "back", runtime=ONLINE)
    assert fingerprint(again) == fingerprint(space)
    given = ["circle", picture("cross", 5)]
    np.testing.assert_allclose(again.embed(given), space.embed(given), atol=1e-6)
    assert (tmp_path / "back" / "README.md").is_file()
    with pytest.raises(InputError, match="exists already"):
        pull("me/shapes", tmp_path / "back", runtime=ONLINE)


def test_the_librarys_own_client_pushes_and_pulls(space: Any, saved: Path, tmp_path: Path) -> None:
    """Over HTTP, against a hub on this machine, in a process that is not offline."""
    code = (
        "import sys, textanchor\n"
        "space = textanchor.load(sys.argv[1])\n"
        "print(textanchor.push(space, 'me/shapes'))\n"
        "textanchor.pull('me/shapes', sys.argv[2])\n"
    )
    with fake_hub(tmp_path / "hub") as address:
        environment = {**os.environ, "HF_ENDPOINT": address, "HF_TOKEN": "hf_none", "HF_HOME": str(tmp_path / "home")}
        environment |= {"HF_HUB_OFFLINE": "0", "PYTHONPATH": str(ROOT / "src"), "HF_HUB_DISABLE_XET": "1"}
        command = [sys.executable, "-c", code, str(saved), str(tmp_path / "back")]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert "me/shapes" in done.stdout
    assert "fetching me/shapes: 5 files" in done.stderr
    again = textanchor.load(tmp_path / "back")
    assert fingerprint(again) == fingerprint(space)
    assert {path.name for path in (tmp_path / "back").iterdir()} == {
        "README.md", "space.json", "seen.json", "image.safetensors", "audio.safetensors",
    }  # fmt: skip


def test_packed_it_brings_its_encoders(shapes: Path, hub: FakeHub, tmp_path: Path) -> None:
    encoder, anchor = f"hub:{tiny_hub(tmp_path / 'model')}", str(tiny_anchor(tmp_path / "anchor"))
    pairs = textanchor.read_pairs(shapes).only("image")
    space = telling(textanchor.fit(pairs, encoders={"image": encoder}, anchor=anchor, aligner="ridge"))
    with pytest.raises(InputError, match="lies on this machine only; take its files along: --packed"):
        push(space, "me/shapes")
    push(space, "me/shapes", packed=True)
    pictures = [picture("cross", 5)]
    before = space.embed(pictures)
    shutil.rmtree(tmp_path / "model")
    shutil.rmtree(tmp_path / "anchor")
    again = pull("me/shapes", tmp_path / "back", runtime=ONLINE)
    assert again.embed(pictures) == pytest.approx(before, abs=1e-6)
    for path in (tmp_path / "hub").rglob("*.*"):
        if path.suffix in (".json", ".md"):
            assert str(tmp_path) not in path.read_text(), path


def test_the_card_says_what_the_space_knows(space: Any, shapes: Path, tmp_path: Path) -> None:
    told = textanchor.evaluate(space, shapes, probe=False, map_=False)
    (tmp_path / "report").mkdir()
    (tmp_path / "report" / "metrics.json").write_text(json.dumps(told.metrics()))
    export_hub(space, tmp_path / "out", evaluation=tmp_path / "report", licence="mit", name="me/shapes")
    text = (tmp_path / "out" / "README.md").read_text()
    head = {
        key: json.loads(value) for key, value in (line.split(": ", 1) for line in text.split("---")[1].strip().splitlines())
    }
    assert head["library_name"] == "textanchor"
    assert head["pipeline_tag"] == "feature-extraction"
    assert head["license"] == "mit"
    assert {"image", "audio"} <= set(head["tags"])
    for part in (
        "textanchor import me/shapes -o space", "| text (anchor) | `st:all-MiniLM-L6-v2` |", "| apache-2.0 |", "| no weights |",
        fingerprint(space)[:16], "by group and content, seed 0", "| image | train |", "ridge", "emergent:", "chance R@1",
    ):  # fmt: skip
        assert part in text, part
    assert str(shapes) not in text
    without = export_hub(space, tmp_path / "bare")
    assert "None was given" in (without / "README.md").read_text()
    with pytest.raises(InputError, match="holds no figures"):
        export_hub(space, tmp_path / "other", evaluation=tmp_path / "out" / "space.json")


def test_only_what_a_space_has_is_taken(space: Any, tmp_path: Path) -> None:
    folder = export_hub(space, tmp_path / "out")
    (folder / "setup.py").write_text("raise SystemExit")
    (folder / "encoders" / "image").mkdir(parents=True)
    (folder / "encoders" / "image" / "modeling.py").write_text("raise SystemExit")
    (folder / "weights.bin").write_bytes(b"x")
    (folder / ".hidden.safetensors").write_bytes(b"x")
    pull(folder, tmp_path / "back")
    names = {path.relative_to(tmp_path / "back").as_posix() for path in (tmp_path / "back").rglob("*") if path.is_file()}
    assert names == {"README.md", "space.json", "seen.json", "image.safetensors", "audio.safetensors"}


def test_links_giants_and_damage_are_refused(space: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    secret = tmp_path / "secret.json"
    secret.write_text("{}")
    folder = export_hub(space, tmp_path / "out")
    held = (folder / "seen.json").read_bytes()
    (folder / "seen.json").unlink()
    (folder / "seen.json").symlink_to(secret)
    with pytest.raises(DamagedError, match=r"seen\.json is a link"):
        pull(folder, tmp_path / "back")
    (folder / "seen.json").unlink()
    (folder / "seen.json").write_bytes(held)
    (tmp_path / "model" / "image" / "m").mkdir(parents=True)
    (tmp_path / "model" / "image" / "m" / "config.json").write_text("{}")
    (folder / "encoders").symlink_to(tmp_path / "model")
    pull(folder, tmp_path / "back")
    assert not (tmp_path / "back" / "encoders").exists(), "nothing behind a link to a folder"
    (folder / "image.safetensors").write_bytes(b"damaged")
    with pytest.raises(DamagedError, match="was altered or damaged"):
        pull(folder, tmp_path / "other")
    assert not (tmp_path / "other").exists()
    monkeypatch.setattr("textanchor.interop.hub.LARGEST", 10)
    with pytest.raises(DamagedError, match="expected at most 10"):
        pull(folder, tmp_path / "other")


def test_what_cannot_be_had_is_said(space: Any, hub: FakeHub, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="expected user/name"):
        push(space, "../x")
    with pytest.raises(InputError, match="neither a folder nor a repository"):
        pull("nowhere", tmp_path / "back", runtime=ONLINE)
    with pytest.raises(MissingError, match="offline mode forbids it"):
        pull("me/shapes", tmp_path / "back")
    with pytest.raises(MissingError, match=r"could not be fetched \(OSError: 404\)"):
        pull("me/shapes", tmp_path / "back", runtime=ONLINE)
    (tmp_path / "hub" / "me" / "other").mkdir(parents=True)
    with pytest.raises(InputError, match="holds no space.json"):
        pull("me/other", tmp_path / "back", runtime=ONLINE)
    with pytest.raises(InputError, match="is no space"):
        upload(tmp_path / "hub", "me/x")
    hub.upload_folder = None  # type: ignore[assignment,method-assign]
    with pytest.raises(MissingError, match="hf auth login"):
        push(space, "me/shapes")


def test_from_the_command_line(run: Callable[..., Any], saved: Path, hub: FakeHub, tmp_path: Path) -> None:
    done = run("export", saved, "--to", "hub", "-o", tmp_path / "out", "--push", "me/shapes", "--license", "mit")
    assert done.exit_code == 0, done.stderr
    assert "pushed to hub/me/shapes" in done.stdout
    assert "textanchor import me/shapes -o space" in (tmp_path / "out" / "README.md").read_text()
    done = run("import", tmp_path / "out", "-o", tmp_path / "back", "--made-by", "x")
    assert done.exit_code == 2
    assert "is no file of vectors" in done.stderr
    done = run("import", tmp_path / "out", "-o", tmp_path / "back")
    assert done.exit_code == 0, done.stderr
    assert textanchor.load(tmp_path / "back").modalities.keys() == {"image", "audio"}
