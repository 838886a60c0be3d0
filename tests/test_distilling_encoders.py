"""Small encoders taught by big ones: targets, losses, the folder and its verdict, what the command refuses."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from PIL import Image
from sklearn.datasets import load_digits

from textanchor.cli import main
from textanchor.data.decoding import decode
from textanchor.distilling.encoders import Lesson, distill_encoder
from textanchor.distilling.encoders.making import _both_know
from textanchor.distilling.encoders.targets import rotated, soft_classes
from textanchor.distilling.encoders.tasks import Imitation, SoftClasses
from textanchor.encoders import make
from textanchor.encoders.own import OwnNetwork
from textanchor.errors import InputError
from textanchor.pretraining import Plan
from textanchor.pretraining.objectives import Facts, Pretext, Seen
from textanchor.pretraining.ready import ready
from textanchor.pretraining.sources import source_of
from textanchor.runtime import Runtime, Splitting

BACKBONE = "resnet(width=4,stages=2)"
SHAPE = (1, 8, 8)


def digits(folder: Path, count: int = 120) -> Path:
    """A folder a class of scikit-learn's digits, 0 to 3."""
    pictures, classes = load_digits(n_class=4, return_X_y=True)
    for number in range(count):
        place = folder / f"digit {classes[number]}"
        place.mkdir(parents=True, exist_ok=True)
        Image.fromarray((pictures[number].reshape(8, 8) * 15).astype(np.uint8)).resize((16, 16)).save(place / f"{number}.png")
    return folder


@pytest.fixture
def runtime(tmp_path: Path) -> Runtime:
    return Runtime(device="cpu", cache=tmp_path / "cache")


def test_rotated_latents_are_principal_components_of_deviation_1() -> None:
    rng = np.random.default_rng(0)
    latents = (rng.normal(size=(80, 5)) * [5, 3, 1, 0.5, 0.2] + 7).astype(np.float32)
    found = rotated(latents, 3)
    np.testing.assert_allclose(found.mean(axis=0), 0, atol=1e-5)
    np.testing.assert_allclose(np.cov(found.T), np.eye(3), atol=1e-4)
    left, _, _ = np.linalg.svd(latents - latents.mean(axis=0), full_matrices=False)
    np.testing.assert_allclose(np.abs(np.corrcoef(found.T, left[:, :3].T)[:3, 3:]), np.eye(3), atol=1e-3)
    assert rotated(np.tile(latents[:, :1], 4), 4).shape == (80, 1)
    with pytest.raises(InputError, match="all alike"):
        rotated(np.ones((9, 3), dtype=np.float32), 2)


def test_soft_classes_are_flatter_at_a_higher_temperature() -> None:
    rng = np.random.default_rng(0)
    classes = np.arange(60) % 3
    latents = (np.eye(3)[classes] * 3 + rng.normal(size=(60, 3))).astype(np.float32)
    known = np.where(np.arange(60) < 20, classes, -1)
    sharp, flat = (soft_classes(latents, known, temperature) for temperature in (1.0, 5.0))
    np.testing.assert_allclose(sharp.sum(axis=1), 1, atol=1e-5)
    assert (sharp.argmax(axis=1) == classes).mean() > 0.8
    np.testing.assert_array_equal(sharp.argmax(axis=1), flat.argmax(axis=1))
    assert flat.max(axis=1).mean() < sharp.max(axis=1).mean()
    logits = np.log(sharp) - np.log(sharp).mean(axis=1, keepdims=True)
    twin = np.exp(logits / 5) / np.exp(logits / 5).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(flat, twin, atol=1e-4)
    assert soft_classes(latents, np.where(known == 2, -1, known), 1.0).shape == (60, 2)
    with pytest.raises(InputError, match="1 classes among 20 labelled items; at least 2 are needed"):
        soft_classes(latents, np.where(known >= 0, 0, -1), 1.0)


@pytest.mark.parametrize("temperature", [None, 2.0])
def test_losses_by_hand(temperature: float | None) -> None:
    """The targets are those of the numbers in the batch."""
    rng = np.random.default_rng(0)
    targets = rng.random(size=(20, 3)).astype(np.float32)
    targets /= targets.sum(axis=1, keepdims=True)
    task: Pretext = Imitation(targets) if temperature is None else SoftClasses(targets, temperature)
    assert isinstance(task, Pretext)
    torch.manual_seed(0)
    learner: Any = task.learner(OwnNetwork(shape=SHAPE, backbone=BACKBONE), Facts(classes=0, shape=SHAPE)).eval()
    rows = torch.tensor([7, 3, 11])
    values = torch.rand(1, 3, *SHAPE)
    found = learner.projection(learner.network(values[0])).detach().numpy().astype(np.float64)
    wanted = targets[rows.numpy()]
    if temperature is None:
        slow = sum((f - w) ** 2 for one, other in zip(found, wanted, strict=True) for f, w in zip(one, other, strict=True)) / 9
    else:
        slow = 0.0
        for logits, shares in zip(found / temperature, wanted, strict=True):
            slow -= sum(share * (one - np.log(np.exp(logits).sum())) for one, share in zip(logits, shares, strict=True)) / 3
    assert float(learner(Seen(views=values, labels=rows)).detach()) == pytest.approx(slow, rel=1e-4)


@pytest.mark.parametrize("by", ["latents", "classes"])
def test_a_student_stands_in_its_folder_beside_its_teacher(by: Any, tmp_path: Path, runtime: Runtime) -> None:
    lesson = Lesson(
        teacher="signal", backbone=BACKBONE, by=by, plan=Plan(epochs=4, batch=24, rate=3e-3), augmentation="nothing"
    )
    lines: list[str] = []
    found = distill_encoder(
        digits(tmp_path / "digits"), lesson, folder=tmp_path / "small", announce=lines.append, runtime=runtime
    )
    assert [row.encoder for row in found.verdict if row.share == 1] == ["this encoder", "signal"]
    assert found.verdict[-2].accuracy > 0.5, "chance is a quarter"
    losses = [row["loss"] for row in found.made.rows]
    assert losses[-1] < losses[0]
    assert len(lines) == 4
    told = (tmp_path / "small" / "README.md").read_text()
    assert f"distilling signal by {by}" in told
    assert "items a second here, the teacher" in told
    encoder: Any = make(f"own:{tmp_path / 'small'}", "image", runtime)
    assert encoder.dim == found.encoder.dim


def test_what_the_teacher_cannot_read_is_left_out_of_items_and_arrays_alike(tmp_path: Path, runtime: Runtime) -> None:
    source = source_of(digits(tmp_path / "digits"), splitting=Splitting(), reading=None, runtime=runtime)
    given = ready(source, "pixels(side=8,channels=1)", runtime)

    class Fussy:
        """Reads no item but every second one."""

        modality, dim, fingerprint, name = "image", 2, "fussy", "fussy"

        def encode(self, batch: Any) -> np.ndarray:
            return np.stack([self._one(np.asarray(picture, dtype=np.float32)) for picture in batch])

        def _one(self, pixels: np.ndarray) -> np.ndarray:
            return np.array([pixels.mean(), np.nan if int(pixels.sum()) % 2 else 1.0], dtype=np.float32)

    both, latents = _both_know(given, Fussy(), runtime)
    assert 0 < len(both.train) < len(given.train)
    assert len(both.read) == len(both.train) == len(latents)
    for item, values in zip(both.read.items, both.train.values, strict=True):
        assert np.array_equal(both.front(decode(item, runtime.limits)), values)


def test_items_without_texts_teach_too(tmp_path: Path, runtime: Runtime) -> None:
    flat = tmp_path / "flat"
    flat.mkdir()
    for file in sorted(digits(tmp_path / "digits", 30).rglob("*.png")):
        file.rename(flat / file.name)
    lesson = Lesson(teacher="signal", backbone=BACKBONE, plan=Plan(epochs=1, batch=16))
    found = distill_encoder(flat, lesson, runtime=runtime)
    assert not found.verdict
    assert len(found.made.rows) == 1
    with pytest.raises(InputError, match="0 classes among 0 labelled items"):
        distill_encoder(flat, Lesson(teacher="signal", by="classes"), runtime=runtime)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ([], "say what is made: a text anchor by --student"),
        (["--student", "static", "--backbone", "vit"], "settings stand in its brackets; leave out --backbone"),
        (["--student", "static", "--against", "signal"], "--against is for encoders of items"),
        (["--teacher", "signal", "--dims", "0"], "dims=0"),
    ],
)
def test_the_command_refuses_what_does_not_go_together(given: list[str], said: str, tmp_path: Path) -> None:
    done = CliRunner().invoke(main, ["distill", str(tmp_path), "-o", str(tmp_path / "out"), *given])
    assert done.exit_code
    assert said in done.output or said in str(done.exception)
