"""Which of some texts an item is, with probabilities that mean what they say."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_digits

import textanchor
from conftest import CLASSES, picture, write_shapes
from textanchor.errors import InputError, ItemError
from textanchor.metrics.calibration import calibration_error, probabilities, temperature
from textanchor.records import Choice
from textanchor.space.classifying import classified

Run = Callable[..., Any]
DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")


def slow_loss(scores: np.ndarray, relevant: np.ndarray, heat: float) -> float:
    """Mean over items, one after the other."""
    evenly, total = 1 / (len(scores) + 2), 0.0
    for row, own in zip(scores.astype(np.float64), relevant, strict=True):
        p = np.exp(row / heat) / np.exp(row / heat).sum()
        total -= (1 - evenly) * np.log(p[own].sum()) + evenly * np.log(p).mean()
    return total / len(scores)


@pytest.mark.parametrize("true", [0.03, 0.1, 0.4])
def test_the_temperature_that_made_the_labels_is_found(true: float) -> None:
    rng = np.random.default_rng(0)
    scores = rng.uniform(-1, 1, size=(3000, 10)).astype(np.float32)
    told = probabilities(scores, true)
    labels = (told.cumsum(axis=1) > rng.random((3000, 1))).argmax(axis=1)
    relevant = np.eye(10, dtype=bool)[labels]
    found = temperature(scores, relevant)
    assert found == pytest.approx(true, rel=0.1)
    assert calibration_error(probabilities(scores, found), relevant) < 0.03
    assert calibration_error(probabilities(scores, found / 4), relevant) > 0.03, "which is overconfident"


def test_it_is_the_minimum_of_the_slow_loss() -> None:
    rng = np.random.default_rng(1)
    scores = rng.normal(0, 0.3, size=(60, 7)).astype(np.float32)
    relevant = rng.random((60, 7)) < 0.3
    relevant[np.arange(60), scores.argmax(axis=1)] |= rng.random(60) < 0.5
    scores, relevant = scores[relevant.any(axis=1)], relevant[relevant.any(axis=1)]
    found = temperature(scores, relevant)
    assert found is not None
    grid = np.exp(np.linspace(np.log(1e-2), 0, 300))
    best = min(grid, key=lambda heat: slow_loss(scores, relevant, heat))
    assert found == pytest.approx(best, rel=0.03)


def test_few_items_that_are_all_right_make_nothing_certain() -> None:
    for count in (1, 3, 10):
        scores = np.tile(np.array([[1.0, 0.0]], dtype=np.float32), (count, 1))
        relevant = np.tile(np.array([[True, False]]), (count, 1))
        sure = float(probabilities(scores, temperature(scores, relevant) or 0)[0, 0])
        assert sure <= (count + 1.5) / (count + 2) + 0.01
    assert temperature(np.ones((5, 1), np.float32), np.ones((5, 1), bool)) is None
    assert temperature(np.ones((5, 2), np.float32), np.zeros((5, 2), bool)) is None


@pytest.fixture(scope="module")
def digits() -> tuple[list[np.ndarray], list[str]]:
    """1797 real handwritten digits, as floats in [0, 1]."""
    held = load_digits()
    return list(held.images / 16), [DIGITS[digit] for digit in held.target]


@pytest.mark.parametrize("aligner", ["ridge", "auto", "kernel-ridge(view=canonical, hubness=csls)", "bank(epochs=10)"])
def test_probabilities_of_unseen_digits_are_calibrated(digits: Any, aligner: str) -> None:
    images, names = digits
    space = textanchor.fit((images[:900], names[:900]), aligner=aligner)
    assert space.modalities["image"].choice.temperature is not None
    told = space.classify(images[900:], DIGITS)
    assert told.shape == (897, 10)
    np.testing.assert_allclose(told.sum(axis=1), 1, atol=1e-5)
    relevant = np.array([[name == digit for digit in DIGITS] for name in names[900:]])
    right = relevant[np.arange(897), told.argmax(axis=1)].mean()
    assert right > 0.85
    assert calibration_error(told, relevant) < 0.06
    heat = space.modalities["image"].choice.temperature
    logits = np.log(told) * heat
    losses = [-np.log(probabilities(logits, heat * factor)[relevant]).mean() for factor in (0.25, 1, 4)]
    assert losses[1] < losses[0]
    assert losses[1] < losses[2]


def test_it_is_the_formula(space: Any) -> None:
    """softmax of the scores of search over the stored temperature."""
    image, texts = picture("circle", 77), ["circle", "square", "cross"]
    heat = space.modalities["image"].choice.temperature
    hits = {hit.id: hit.score for hit in textanchor.search(space, image, texts)}
    scores = np.array([hits[text] for text in texts])
    expected = np.exp(scores / heat) / np.exp(scores / heat).sum()
    np.testing.assert_allclose(textanchor.classify(space, image, texts)[0], expected, atol=1e-4)


def test_it_survives_saving_and_the_words_of_the_fit(shapes: Path, tmp_path: Path) -> None:
    wording = textanchor.wording({"image": ["a drawing of a {}"]})
    space = textanchor.fit(shapes, aligner="ridge", wording=wording)
    again = textanchor.load(space.save(tmp_path / "space"))
    assert again.modalities["image"].choice == space.modalities["image"].choice
    np.testing.assert_array_equal(again.classify(PICTURES, CLASSES), space.classify(PICTURES, CLASSES))
    said = {hit.id: hit.score for hit in again.search(PICTURES[0], [f"a drawing of a {name}" for name in CLASSES])}
    scores = np.array([said[f"a drawing of a {name}"] for name in CLASSES], dtype=np.float32)
    heat = again.modalities["image"].choice.temperature
    np.testing.assert_allclose(again.classify(PICTURES[0], CLASSES)[0], probabilities(scores[None], heat)[0], atol=1e-4)


PICTURES = [picture(kind, 50) for kind in CLASSES]


def test_items_of_any_kind_and_what_was_not_calibrated(space: Any, shapes: Path) -> None:
    items = [shapes / "audio" / "cross" / "03.wav", picture("circle", 70), np.asarray(picture("square", 70))]
    assert space.classify(items, CLASSES).argmax(axis=1).tolist() == [2, 0, 1]
    with pytest.warns(UserWarning, match="probabilities of text are not calibrated"):
        told = space.classify("a round circle", CLASSES)
    assert told.argmax() == 0
    bare = textanchor.fit(shapes, aligner="ridge(alpha=0.1)", fractions=(0.8, 0, 0.2))
    with pytest.warns(UserWarning, match="probabilities of image are not calibrated: the space holds no temp"):
        found = bare.classify(PICTURES, CLASSES)
    assert found.argmax(axis=1).tolist() == [0, 1, 2, 3]
    assert classified(bare, textanchor.read_pairs(shapes).items[:3], CLASSES).notes
    assert Choice.read({**space.modalities["image"].choice.described(), "softmax temperature": None}).temperature is None


def test_what_cannot_be_classified_is_said(space: Any, tmp_path: Path) -> None:
    for texts, message in (
        (["a"], "at least two texts"),
        ("ab", "at least two texts, as a list"),
        (["a", "b", " a "], "the text 'a' is given twice"),
        (["a", " "], "one of the texts is empty"),
    ):
        with pytest.raises(InputError, match=message):
            space.classify(PICTURES, texts)
    (tmp_path / "bad.png").write_bytes(b"nothing")
    with pytest.raises(ItemError, match=r"bad.png: not an image"):
        space.classify([PICTURES[0], tmp_path / "bad.png"], CLASSES)


def test_the_command(run: Run, saved: Path, shapes: Path, tmp_path: Path) -> None:
    file = shapes / "image" / "cross" / "03.png"
    done = run("classify", saved, file, "--text", "cross", "--text", "circle")
    assert done.exit_code == 0, done.stderr
    head, line = done.stdout.splitlines()
    assert head.split() == ["item", "text", "probability"]
    assert line.split()[1] == "cross"
    assert 0.5 < float(line.split()[2]) <= 1

    (tmp_path / "names.txt").write_text("\n".join(["circle", "square", "", "cross", "stripes"]))
    out = tmp_path / "told.csv"
    done = run("classify", saved, shapes, "--texts", tmp_path / "names.txt", "--json", "-o", out)
    told = json.loads(done.stdout)
    assert len(told["items"]) == 96
    assert np.mean([one["text"] in one["item"] for one in told["items"]]) > 0.95
    first = told["items"][0]
    assert sum(first["probabilities"].values()) == pytest.approx(1)
    assert first["probability"] == max(first["probabilities"].values())
    assert Path(first["path"]).is_file()
    with out.open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert rows[0] == {"item": first["item"], **{text: str(value) for text, value in first["probabilities"].items()}}
    again = run("classify", saved, file, "--text", "a", "--text", "b", "-o", out)
    assert again.exit_code == 2
    assert "exists already" in again.stderr
    three = run("classify", saved, file, "--texts", tmp_path / "names.txt", "-k", 3)
    assert len(three.stdout.splitlines()) == 4


def test_the_command_says_what_it_left_out(run: Run, saved: Path, tmp_path: Path) -> None:
    folder = write_shapes(tmp_path / "pairs", each=3)
    (folder / "image" / "circle" / "00.png").write_bytes(b"nothing")
    done = run("classify", saved, folder / "image", folder / "audio", "--text", "circle", "--text", "a cross")
    assert done.exit_code == 0
    assert "1 skipped:" in done.stderr
    assert "circle/00.png: not an image" in done.stderr
    assert len(done.stdout.splitlines()) == 24
    for arguments, message in (
        ((tmp_path / "gone", "--text", "a", "--text", "b"), "gone does not exist; expected a file, a folder or a table"),
        ((folder, "--text", "a"), "at least two texts"),
        ((folder, "--texts", tmp_path / "gone.txt"), "gone.txt: cannot be read as text"),
    ):
        done = run("classify", saved, *arguments)
        assert done.exit_code == 2
        assert message in done.stderr.splitlines()[-1]


def test_texts_are_put_into_words_as_a_table_is(space: Any, shapes: Path) -> None:
    item = shapes / "image" / "circle" / "00.png"
    joined = space.classify([item], ["red_circle", "green_cross"])
    np.testing.assert_array_equal(joined, space.classify([item], ["red circle", "green cross"]))
