"""Students of text anchors: what they keep of the teacher, where they run, and what is refused."""

from __future__ import annotations

import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.sparse import csr_array
from tokenizers import Tokenizer

from distilling_world import LETTERS, sentences, tiny_teacher
from textanchor import registry
from textanchor.collections.moving.stored import load_map
from textanchor.distilling.anchors import Distilled, distill_anchor
from textanchor.distilling.anchors.adapted import found_again, lowered, scatter
from textanchor.distilling.anchors.judging import kept
from textanchor.distilling.anchors.layers import chosen
from textanchor.distilling.anchors.protocol import Student, student_of, teacher_of
from textanchor.distilling.anchors.static import directions, fitted
from textanchor.distilling.anchors.texts import Taught, Texts, texts_of
from textanchor.distilling.anchors.vocabulary import smaller
from textanchor.encoders import make
from textanchor.encoders.bert import Bert
from textanchor.encoders.static import Static
from textanchor.encoders.students import MARK
from textanchor.errors import DamagedError, InputError, UnknownNameError
from textanchor.runtime import Runtime

NEW = ["the old walrus sings", "a zebra", "the red dog sits in the lake"]


@pytest.fixture(scope="module")
def teacher(tmp_path_factory: pytest.TempPathFactory) -> str:
    return f"st:{tiny_teacher(tmp_path_factory.mktemp('teacher') / 'tiny')}"


@pytest.fixture
def runtime(tmp_path: Path) -> Runtime:
    return Runtime(device="cpu", cache=tmp_path / "cache")


def library(folder: Path, texts: list[str]) -> np.ndarray:
    from sentence_transformers import SentenceTransformer

    return np.asarray(SentenceTransformer(str(folder), device="cpu").encode(texts))


SPECS = ("static(dim=12)", "layers(keep=2, epochs=1, batch=16)", "layers(keep=1, epochs=0, vocabulary=62, half=false)")


@pytest.mark.parametrize("spec", SPECS)
def test_contract(spec: str, teacher: str, runtime: Runtime, tmp_path: Path) -> None:
    """It runs here without the library, gives the library's numbers, and imitates its teacher better than chance."""
    assert isinstance(student_of(spec), Student)
    made = distill_anchor(sentences(), tmp_path / "s", spec, teacher=teacher, runtime=runtime)
    encoder: Any = make(made.anchor, "text", runtime)
    assert isinstance(encoder._model, Bert | Static)
    found = encoder.encode(NEW)
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1, atol=1e-5)
    np.testing.assert_allclose(found, library(tmp_path / "s", NEW), atol=2e-6)
    assert made.beside.kept.neighbours > 0.5 > 10 / made.beside.kept.texts
    assert made.beside.smaller < 1
    told = (tmp_path / "s" / "README.md").read_text()
    assert all(remark in told for remark in made.remarks)
    assert not (tmp_path / "s.training.safetensors").exists()


def test_every_student_is_tried_by_the_contract() -> None:
    assert {registry.take_apart(spec)[0] for spec in SPECS} | {"adapted"} == set(registry.names("student"))


def test_a_static_student_starts_without_torch(teacher: str, runtime: Runtime, tmp_path: Path) -> None:
    distill_anchor(sentences(), tmp_path / "s", "static", teacher=teacher, runtime=runtime)
    code = (
        "import sys; from textanchor.encoders import make; from textanchor.runtime import Runtime\n"
        f"make('st:{tmp_path / 's'}', 'text', Runtime(device='cpu')).encode(['the dog'] * 50)\n"
        "assert 'torch' not in sys.modules and 'sentence_transformers' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_fewer_numbers_keep_less_and_all_of_them_the_most(teacher: str, runtime: Runtime, tmp_path: Path) -> None:
    found = [
        distill_anchor(sentences(), tmp_path / str(dim), f"static(dim={dim})", teacher=teacher, runtime=runtime)
        for dim in (2, 16)
    ]
    assert found[0].beside.kept.neighbours < found[1].beside.kept.neighbours
    assert found[0].beside.kept.cosine is None
    cosine = found[1].beside.kept.cosine
    assert cosine is not None
    assert cosine > 0.7


def test_a_token_that_was_left_out_counts_for_nothing(teacher: str, runtime: Runtime, tmp_path: Path) -> None:
    distill_anchor(sentences(), tmp_path / "s", "static(vocabulary=20)", teacher=teacher, runtime=runtime)
    encoder: Any = make(f"st:{tmp_path / 's'}", "text", runtime)
    np.testing.assert_array_equal(*encoder.encode(["the dog", "the walrus dog"]))
    assert encoder.pieces(["walrus dog"]) == [("", "dog")]
    assert np.linalg.norm(encoder.encode(["walrus", ""])) == 0
    np.testing.assert_allclose(encoder.encode(NEW), library(tmp_path / "s", NEW), atol=2e-6)


def test_training_goes_on_to_the_same_student(
    teacher: str, runtime: Runtime, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec, texts = "layers(keep=2, epochs=2, batch=32, vocabulary=70)", sentences()
    whole = distill_anchor(texts, tmp_path / "whole", spec, teacher=teacher, runtime=runtime)
    from textanchor.pretraining.checkpoints import Checkpoint

    write = Checkpoint.write

    def stopped(self: Checkpoint, *rest: Any) -> None:
        write(self, *rest)
        raise KeyboardInterrupt

    monkeypatch.setattr(Checkpoint, "write", stopped)
    with pytest.raises(KeyboardInterrupt):
        distill_anchor(texts, tmp_path / "again", spec, teacher=teacher, runtime=runtime)
    monkeypatch.undo()
    assert (tmp_path / "again.training.safetensors").exists()
    again = distill_anchor(texts, tmp_path / "again", spec, teacher=teacher, runtime=runtime)
    assert again.remarks == whole.remarks
    one, other = ((tmp_path / name / "model.safetensors").read_bytes() for name in ("whole", "again"))
    assert one == other


def test_layers_are_first_last_and_evenly_between() -> None:
    assert [chosen(6, keep) for keep in (1, 2, 3, 4, 5)] == [[5], [0, 5], [0, 3, 5], [0, 2, 3, 5], [0, 1, 3, 4, 5]]
    for total in range(2, 30):
        for keep in range(2, total):
            layers = chosen(total, keep)
            assert (layers[0], layers[-1], len(set(layers))) == (0, total - 1, keep)
            assert max(b - a for a, b in pairwise(layers)) - min(b - a for a, b in pairwise(layers)) <= 1


def test_fitted_is_ridge_regression_written_out() -> None:
    """Twin: the map's normal equations, then the corrections of all tokens as one stacked least-squares problem."""
    rng = np.random.default_rng(0)
    counts = rng.poisson(0.6, size=(60, 9)).astype(np.float32)
    counts[:, 0] += 1
    shares = counts / counts.sum(axis=1, keepdims=True)
    table, targets = rng.normal(size=(9, 5)).astype(np.float32), rng.normal(size=(60, 5)).astype(np.float32)
    found = fitted(table, csr_array(shares[:50]), targets[:50], csr_array(shares[50:]), targets[50:])
    means = shares[:50].astype(np.float64) @ table
    gram = means.T @ means
    mapped = table @ np.linalg.inv(gram + 1e-3 * np.trace(gram) / 5 * np.eye(5)) @ means.T @ targets[:50]
    stacked = np.vstack([shares[:50], np.sqrt(found.penalty) * np.eye(9)])
    wanted = np.vstack([targets[:50] - shares[:50] @ mapped, np.zeros((9, 5))])
    twin = mapped + np.linalg.lstsq(stacked, wanted, rcond=None)[0]
    np.testing.assert_allclose(found.table, twin, atol=1e-3)
    assert found.cosine >= found.plain - 0.2


def test_directions_hold_the_most_of_the_length() -> None:
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(50, 6)).astype(np.float32) + 2
    made = directions(vectors, 3)
    np.testing.assert_allclose(made.T @ made, np.eye(3), atol=1e-5)
    values = np.linalg.svd(vectors, compute_uv=False)
    assert np.sum((vectors @ made) ** 2) == pytest.approx(np.sum(values[:3] ** 2), rel=1e-5)


def test_a_smaller_tokenizer_spells_what_it_lost() -> None:
    from tokenizers import models, normalizers, pre_tokenizers, processors

    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", *LETTERS, *(f"##{one}" for one in LETTERS), "dog", "cat", "##s"]
    tokens = Tokenizer(models.WordPiece({one: place for place, one in enumerate(dict.fromkeys(pieces))}, unk_token="[UNK]"))
    tokens.normalizer, tokens.pre_tokenizer = normalizers.Lowercase(), pre_tokenizers.BertPreTokenizer()
    tokens.add_special_tokens(["[PAD]", "[UNK]", "[CLS]", "[SEP]"])
    tokens.post_processor = processors.TemplateProcessing(single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)])
    made, former = smaller(tokens, ["a cat"], 57)
    assert made.get_vocab_size() == len(former) == 57
    assert made.encode("Cats dog").tokens == ["[CLS]", "cat", "##s", "d", "##o", "##g", "[SEP]"]
    words = tokens.get_vocab()
    assert [former[number] for number in made.encode("cats").ids] == [words[one] for one in ("[CLS]", "cat", "##s", "[SEP]")]
    with pytest.raises(InputError, match="vocabulary=20: 56 pieces, special ones and single characters, cannot be left out"):
        smaller(tokens, [], 20)


def taught(spread: float) -> Taught:
    """Forty items of three texts, which differ along the first of six directions."""
    rng = np.random.default_rng(1)
    vectors = np.repeat(rng.normal(size=(40, 6)), 3, axis=0)
    vectors += 0.1 * rng.normal(size=vectors.shape)
    vectors[:, 0] += spread * rng.normal(size=120)
    texts = tuple(f"t{row}" for row in range(120))
    owners = np.repeat(np.arange(40), 3)
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return Taught(texts=Texts(texts=texts, owners=owners, source="made up"), vectors=unit.astype(np.float32))


def test_adapting_shortens_what_texts_of_one_item_differ_in() -> None:
    own = taught(3.0)
    within = scatter(own)
    slow = np.zeros((6, 6))
    for item in range(40):
        rows = own.vectors[3 * item : 3 * item + 3].astype(np.float64)
        for row in rows:
            slow += np.outer(row - rows.mean(axis=0), row - rows.mean(axis=0))
    np.testing.assert_allclose(within, slow / 80, atol=1e-6)
    made = lowered(within, 1)
    after = made @ within @ made.T
    assert np.linalg.matrix_rank(made - np.eye(6), tol=1e-8) == 1
    assert np.linalg.eigvalsh(after).max() < np.linalg.eigvalsh(within).max()
    assert found_again(own, made) > found_again(own, np.eye(6)) + 0.1
    np.testing.assert_array_equal(lowered(within, 0), np.eye(6))


def pairs_of(folder: Path) -> Path:
    """A table of 60 items, of each what two people would say."""
    rows = sentences()[:60]
    lines = ["path,text,group,split"]
    for number, text in enumerate(rows):
        (folder / f"{number}.txt").write_text(f"item {number}")
        side = "train" if number < 50 else "val" if number < 55 else "test"
        lines += [f"{number}.txt,{words},g{number},{side}" for words in (text, f"in the park {text}")]
    (folder / "pairs.csv").write_text("\n".join(lines))
    return folder / "pairs.csv"


def test_an_adapted_anchor_keeps_old_vectors_of_use(teacher: str, runtime: Runtime, tmp_path: Path) -> None:
    pairs = pairs_of(tmp_path)
    made: Distilled = distill_anchor(pairs, tmp_path / "a", "adapted(rank=4)", teacher=teacher, runtime=runtime)
    old, new = (make(name, "text", runtime).encode(NEW) for name in (teacher, made.anchor))
    np.testing.assert_allclose(new, library(tmp_path / "a", NEW), atol=2e-6)
    mapped = load_map(tmp_path / "a" / "map.safetensors")(old)
    np.testing.assert_allclose(mapped / np.linalg.norm(mapped, axis=1, keepdims=True), new, atol=1e-5)
    assert np.abs(old - new).max() > 0.01


def test_texts_of_pairs_are_those_of_the_training_side(tmp_path: Path, runtime: Runtime) -> None:
    found = texts_of(pairs_of(tmp_path), runtime=runtime)
    assert len(found) == 100
    assert set(sentences()[50:60]).isdisjoint(found.texts)
    assert [len(set(found.owners[2 * row : 2 * row + 2])) for row in range(50)] == [1] * 50


def test_lines_of_a_file_are_texts(tmp_path: Path) -> None:
    (tmp_path / "t.txt").write_text("\n".join([*sentences(), "", "  ", sentences()[0]]))
    assert texts_of(tmp_path / "t.txt").texts == tuple(sentences())


def test_texts_of_one_item_are_held_back_together() -> None:
    teach, held = taught(1.0).parted(0)
    assert len(held) == 12
    assert set(teach.texts.owners).isdisjoint(held.texts.owners)


def test_neighbours_kept_by_hand() -> None:
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(30, 4)).astype(np.float32)
    same = kept(vectors, vectors)
    assert (same.neighbours, same.cosine) == (1.0, pytest.approx(1.0))
    assert kept(rng.normal(size=(30, 4)).astype(np.float32), vectors).neighbours < 0.6


@pytest.mark.parametrize(
    ("given", "spec", "said"),
    [
        ("few", "static", "12 distinct texts; a student needs at least 50"),
        ("many", "layers(keep=4)", "keep=4: the teacher has 4 layers; expected 1 to 3"),
        ("many", "layers(keep=2, vocabulary=9)", "vocabulary=9: 57 pieces"),
        ("many", "adapted", "0 items have several texts; adapting learns from what they share and needs 20"),
    ],
)
def test_what_is_refused(given: str, spec: str, said: str, teacher: str, runtime: Runtime, tmp_path: Path) -> None:
    texts = sentences() if given == "many" else sentences()[:12]
    with pytest.raises(InputError, match=said.replace("(", r"\(")):
        distill_anchor(texts, tmp_path / "s", spec, teacher=teacher, runtime=runtime)
    assert not (tmp_path / "s").exists()


def test_other_anchors_and_unknown_students_are_refused(runtime: Runtime) -> None:
    with pytest.raises(InputError, match="students are made of models of sentence-transformers"):
        teacher_of("vectors@dim=3", runtime)
    with pytest.raises(UnknownNameError, match="did you mean 'static'"):
        student_of("statik")


def test_damaged_students_are_said(teacher: str, runtime: Runtime, tmp_path: Path) -> None:
    place = tmp_path / "s"
    distill_anchor(sentences(), place, "static", teacher=teacher, runtime=runtime)
    mark = (place / MARK).read_text()
    (place / MARK).write_text(mark.replace('"format": 1', '"format": 9'))
    with pytest.raises(InputError, match="format 9, and this version reads 1; update textanchor"):
        make(f"st:{place}", "text", runtime)
    (place / MARK).write_text("[]")
    with pytest.raises(DamagedError, match="not what describes a student"):
        make(f"st:{place}", "text", runtime)
    (place / MARK).write_text(mark)
    (place / "model.safetensors").write_bytes(b"nothing")
    with pytest.raises(DamagedError, match="no static student can be read there"):
        make(f"st:{place}", "text", runtime)
