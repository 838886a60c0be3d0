"""Templates and synonyms: what is embedded, where it is kept, and what is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import textanchor
from textanchor.data.wording import Wording, read_synonyms, wording
from textanchor.errors import InputError
from textanchor.space.preparing import embed_texts
from textanchor.views import unit


def test_phrasings_are_every_word_in_every_template() -> None:
    held = wording({"image": ["a photo of a {}", "{}"]}, {"dog": ["hound"]})
    assert held.phrasings("dog", "image") == ("a photo of a dog", "a photo of a hound", "dog", "hound")
    assert held.phrasings("dog", "audio") == ("dog", "hound")
    assert held.phrasings("cat", "audio") == ("cat",)
    assert wording(**held.described()) == held
    assert held.joined(wording({"image": ["x {}"]})).phrasings("dog", "image") == ("x dog", "x hound")
    assert held.joined(None) == held


def test_a_text_is_the_unit_mean_of_its_phrasings(space: Any) -> None:
    held = wording({"image": ["a drawing of a {}", "{}"]}, {"circle": ["a round ring"]})
    told = embed_texts(space, ["circle", "cross"], modality="image", wording=held)
    raw = unit(embed_texts(space, ["a drawing of a circle", "a drawing of a a round ring", "circle", "a round ring"]))
    np.testing.assert_allclose(told[0], unit(raw.mean(axis=0, keepdims=True))[0], atol=1e-5)
    np.testing.assert_allclose(np.linalg.norm(told, axis=1), 1, atol=1e-5)
    plain = embed_texts(space, ["circle"], modality="image", wording=Wording())
    np.testing.assert_array_equal(plain, embed_texts(space, ["circle"]))


def test_a_space_keeps_its_wording_and_evaluates_with_it(shapes: Path, tmp_path: Path) -> None:
    held = wording({"image": ["a drawing of a {}"]})
    made = textanchor.fit(shapes, aligner="ridge", wording=held)
    again = textanchor.load(made.save(tmp_path / "s"))
    assert again.wording("image") == again.wording("audio") == held
    judged = textanchor.evaluate(again, shapes, probe=False, map_=False).judged.pairs["held-out"]
    expected = embed_texts(again, [f"a drawing of a {text}" for text in judged["image"].texts])
    np.testing.assert_allclose(judged["image"].anchors, expected, atol=1e-5)
    np.testing.assert_allclose(judged["audio"].anchors, embed_texts(again, judged["audio"].texts), atol=1e-5)
    plain = textanchor.fit(shapes, aligner="ridge")
    with pytest.raises(InputError, match="must word their texts alike"):
        textanchor.evaluate(again, shapes, against={"plain": plain})


@pytest.mark.parametrize(
    ("name", "content", "match"),
    [
        ("s.json", "{", "expected JSON such as"),
        ("s.json", '["dog"]', "expected JSON such as"),
        ("s.json", '{"dog": "hound"}', "expected JSON such as"),
        ("s.json", '{"dog": [1]}', "expected JSON such as"),
        ("s.json", "[" * 100_000, "expected JSON such as"),
        ("s.csv", "word,other\ndog,hound\n", "columns text and synonym"),
        ("s.csv", "", "columns text and synonym"),
        ("s.json", b"\xff\xfe\x00", "cannot be read as text"),
    ],
)
def test_wrong_synonyms_are_answers(name: str, content: str | bytes, match: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(InputError, match=match):
        read_synonyms(tmp_path / name)


def test_synonyms_from_files(tmp_path: Path) -> None:
    (tmp_path / "s.csv").write_text("text,synonym\ndog,hound\ndog,a barking dog\ncat,\n")
    assert read_synonyms(tmp_path / "s.csv") == {"dog": ("hound", "a barking dog"), "cat": ()}
    (tmp_path / "s.json").write_text(json.dumps({"dog": ["hound"]}))
    assert wording(synonyms=tmp_path / "s.json").phrasings("dog", "image") == ("dog", "hound")
    with pytest.raises(InputError, match="cannot be read"):
        read_synonyms(tmp_path / "none.json")


def test_from_the_command_line(run: Callable[..., Any], shapes: Path, tmp_path: Path) -> None:
    (tmp_path / "words.csv").write_text("text,synonym\ncircle,ring\n")
    done = run(
        "fit", shapes, "-o", tmp_path / "s", "--aligner", "ridge",
        "--template", "image=a drawing of a {}", "--template", "image={}", "--synonyms", tmp_path / "words.csv",
    )  # fmt: skip
    assert done.exit_code == 0, done.stderr
    held = textanchor.load(tmp_path / "s").wording("image")
    assert held.templates == {"image": ("a drawing of a {}", "{}")}
    assert held.synonyms == {"circle": ("ring",)}
    wrong = run("fit", shapes, "-o", tmp_path / "t", "--template", "image=a drawing")
    assert wrong.exit_code == 2
    assert "has no {} for the text" in wrong.stderr
    assert run("fit", shapes, "-o", tmp_path / "t", "--template", "a drawing of a {}").exit_code == 2
