"""Diagnoses name the true cause; an interruption says what is kept; a closed pipe ends the printing alone."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

import textanchor
from conftest import write_shapes
from test_cli import fails
from textanchor.latents import engine

Run = Callable[..., Any]
LATENTS = "latents encoded so far are kept in {cache}"
CLI = (sys.executable, "-c", "from textanchor.cli import main; main()")


@pytest.mark.parametrize("name", ["gpu", "GPU", "cuda0", "nvidia", "gpu:0", "0"])
def test_devices_that_nobody_knows(name: str, run: Run, shapes: Path, tmp_path: Path) -> None:
    fails(run("fit", shapes, "-o", tmp_path / "space", "--device", name), "say cuda (or cuda:1), mps or cpu")


@pytest.mark.parametrize(
    ("spelled", "meant"),
    [
        ("image=google/vit-base", "hub:google/vit-base"),
        ("image=google/vit-base@layer=3", "hub:google/vit-base@layer=3"),
        ("image=st:google/vit-base", "hub:google/vit-base"),
        ("image=https://huggingface.co/google/vit-base", "hub:google/vit-base"),
        ("image=signl", "signal"),
        ("audio=facebook/wav2vec2-base", "hub:facebook/wav2vec2-base"),
        ("audio=Signal", "signal"),
    ],
)
def test_an_encoder_without_its_kind(spelled: str, meant: str, run: Run, shapes: Path, tmp_path: Path) -> None:
    done = run("fit", shapes, "-o", tmp_path / "space", "--encoder", spelled)
    fails(done, f"did you mean {meant}?")
    assert "hf download" not in done.stderr


def test_an_anchor_of_another_kind(run: Run, shapes: Path, tmp_path: Path) -> None:
    done = run("fit", shapes, "-o", tmp_path / "space", "--anchor", "hub:intfloat/e5-base")
    fails(done, "did you mean st:intfloat/e5-base?")


@pytest.mark.parametrize(
    ("spec", "known"),
    [
        ("ridge(wrong=1)", "known: alpha, view, hubness"),
        ("ridge(1)", "the settings of ridge: alpha, view, hubness"),
        ("ridge(alpha)", "the settings of ridge: alpha, view, hubness"),
        ("gradient(loss=info-nce(wrong=1))", "known: temperature"),
        ("gradient(projector=mlp(wrong=1))", "known: hidden, dropout"),
        ("gradient(start=ridge(wrong=1))", "known: alpha, view, hubness"),
        ("ridge(view=whitening(wrong=1))", "known: shrinkage"),
        ("ridge(hubness=csls(wrong=1))", "known: k"),
    ],
)
def test_unknown_settings_are_answered_by_the_known(spec: str, known: str, run: Run, shapes: Path, tmp_path: Path) -> None:
    fails(run("fit", shapes, "-o", tmp_path / "space", "--aligner", spec), known)


def test_unknown_options_of_encoders_and_indexes(run: Run, shapes: Path, saved: Path, tmp_path: Path) -> None:
    done = run("fit", shapes, "-o", tmp_path / "space", "--encoder", "audio=signal@wrong=1")
    fails(done, "known: window, hop, windows")
    done = run("search", saved, "circle", "--in", shapes, "--index", "faiss(wrong=1)")
    fails(done, "known: ")


@pytest.mark.parametrize("place", ["pairs.csv", "pairs.csv/below", "/proc/nowhere"])
def test_a_cache_that_cannot_be_written(place: str, run: Run, shapes: Path, tmp_path: Path) -> None:
    done = run("fit", shapes, "-o", tmp_path / "space", "--cache", shapes / place)
    fails(done, "the cache of latents")
    assert "name another folder by --cache (cache=) or $TEXTANCHOR_HOME" in done.stderr


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_cache_without_permission(run: Run, shapes: Path, tmp_path: Path) -> None:
    (tmp_path / "cache").mkdir(mode=0o500)
    fails(run("fit", shapes, "-o", tmp_path / "space", "--cache", tmp_path / "cache"), "cannot be written (Permission denied)")


def test_a_cache_is_tried_before_anything_is_encoded(
    run: Run, shapes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*_: Any) -> Any:
        raise AssertionError("encoded although nothing can be kept")

    monkeypatch.setattr(engine, "encoded_rows", never)
    fails(run("fit", shapes, "-o", tmp_path / "space", "--cache", "/proc/nowhere"), "cannot be written")


@pytest.mark.parametrize(
    ("command", "kept"),
    [
        (("fit", "{pairs}", "-o", "{out}", "--cache", "{cache}"), f"the space was not written; {LATENTS}"),
        (("encode", "{pairs}", "--cache", "{cache}"), LATENTS),
        (("bench", "{pairs}", "-o", "{out}", "--cache", "{cache}"), "runs measured so far are kept in {out}"),
    ],
)  # fmt: skip
def test_an_interruption_says_what_is_kept(
    command: tuple[str, ...], kept: str, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    places = {"pairs": str(write_shapes(tmp_path / "pairs")), "out": str(tmp_path / "out"), "cache": str(tmp_path / "cache")}
    arguments = [part.format(**places) for part in command]
    real, calls = engine.encoded_rows, 0

    def stopped(*given: Any, **more: Any) -> Any:
        nonlocal calls
        for row in real(*given, **more):
            calls += 1
            if calls > 10:
                raise KeyboardInterrupt
            yield row

    with monkeypatch.context() as patch:
        patch.setattr(engine, "encoded_rows", stopped)
        done = run(*arguments)
    assert done.exit_code == 130
    assert done.stderr.strip().splitlines()[-1].startswith(f"interrupted: {kept.format(**places)}")
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "out" / "space.json").exists()
    again = run("encode", places["pairs"], "--cache", places["cache"])
    assert sum(int(line.split()[2]) for line in again.stdout.splitlines() if line.split()[:1] == ["all"]) >= 10


def test_a_real_interrupt(tmp_path: Path) -> None:
    pairs = write_shapes(tmp_path / "pairs")
    endless = [*CLI, "fit", str(pairs), "-o", str(tmp_path / "space"), "--aligner", "gradient(epochs=100000)"]
    with subprocess.Popen(endless, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as started:
        assert started.stderr is not None
        started.stderr.readline()  # a remark: the fit has begun
        started.send_signal(signal.SIGINT)
        _, rest = started.communicate(timeout=120)
    assert started.returncode == 130
    assert "interrupted: the space was not written; latents" in rest
    assert "Traceback" not in rest


@pytest.mark.parametrize("errors", [subprocess.PIPE, subprocess.STDOUT])
def test_a_closed_pipe_ends_the_printing_and_not_the_work(errors: int, tmp_path: Path) -> None:
    fit = [*CLI, "fit", str(write_shapes(tmp_path / "pairs")), "-o", str(tmp_path / "space"), "--aligner", "ridge"]
    with subprocess.Popen(fit, stdout=subprocess.PIPE, stderr=errors, text=True) as started:
        assert started.stdout is not None
        started.stdout.readline()
        started.stdout.close()
        said = started.stderr.read() if started.stderr is not None else ""
        assert started.wait(timeout=120) == 0, said
    assert "Traceback" not in said
    assert "roken pipe" not in said
    assert (tmp_path / "space" / "space.json").is_file()


def test_a_pipe_that_nobody_ever_read(tmp_path: Path) -> None:
    pairs = write_shapes(tmp_path / "pairs", sounds=False)
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run([*CLI, "fit", pairs, "-o", tmp_path / "space", "--aligner", "ridge"], stdout=write, stderr=write)
    os.close(write)
    assert done.returncode == 0
    assert (tmp_path / "space" / "space.json").is_file()


@pytest.mark.parametrize("name", ["~no-such-user/pairs", "~tmp.csv"])
def test_a_tilde_that_is_nobodys_is_a_name(name: str, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    done = run("fit", name, "-o", "space")
    assert done.exit_code == 2
    assert f"{name} does not exist" in done.stderr
    (tmp_path / "~tmp.csv").write_text("path,text\n~a.png,red\n~b.png,blue\n")
    for place in ("~a.png", "~b.png"):
        Image.new("RGB", (9, 9), "red").save(tmp_path / place)
    assert len(textanchor.read_pairs("~tmp.csv").rows) == 2
