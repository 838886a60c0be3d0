"""Vectors made elsewhere become a space."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sklearn.base import clone
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import textanchor
from textanchor import align, vector_pairs
from textanchor.errors import DamagedError, InputError, ItemError, LeakError
from textanchor.interop.vector_files import read_vectors

WORDS = ["a dog", "a cat", "the open sea", "a red car"]


def made(count: int = 120, dim: int = 12, seed: int = 0) -> tuple[np.ndarray, list[str]]:
    """Clouds of vectors around four points, each with its text."""
    points = np.random.default_rng(99).normal(size=(len(WORDS), dim))
    rng = np.random.default_rng(seed)
    which = rng.integers(len(WORDS), size=count)
    return (points[which] + 0.2 * rng.normal(size=(count, dim))).astype(np.float32), [WORDS[row] for row in which]


@pytest.fixture(scope="module")
def aligned() -> Any:
    return align(*made(), modality="mine", source="toy", aligner="ridge")


def test_arrays_in_space_out(aligned: Any, tmp_path: Path) -> None:
    vectors, texts = made(seed=1)
    assert aligned.modalities["mine"].encoder == "vectors@dim=12,source=toy"
    raw = aligned.embed(vectors, modality="mine")
    assert raw.shape == (len(vectors), 384)
    np.testing.assert_allclose(aligned.embed(vectors[0], modality="mine"), raw[:1], atol=1e-6)
    np.testing.assert_allclose(aligned.embed(vectors[:2].tolist(), modality="mine"), raw[:2], atol=1e-6)
    np.testing.assert_allclose(aligned.embed(vectors[1].tolist(), modality="mine"), raw[1:2], atol=1e-6)
    again = textanchor.load(aligned.save(tmp_path / "space"))
    assert again.embed(vectors, modality="mine").tobytes() == raw.tobytes()
    found = again.classify(list(vectors), WORDS, modality="mine").argmax(axis=1)
    assert np.mean([WORDS[row] == text for row, text in zip(found, texts, strict=True)]) > 0.95


def test_the_split_leaks_nothing_and_validation_chooses() -> None:
    vectors, texts = made()
    groups = [str(row // 4) for row in range(len(texts))]
    space = align(vectors, texts, groups=groups, aligner="ridge")
    counts = space.stories[-1].counts["vectors"]
    assert sum(one.items for one in counts.values()) == len(vectors)
    assert sum(one.groups for one in counts.values()) == len(set(groups))
    assert space.modalities["vectors"].choice.chosen_on == "validation"
    pairs = vector_pairs(vectors, texts, groups=groups)
    told = textanchor.evaluate(space, pairs, probe=False, map_=False)
    assert sum(len(items.items) for items in told.judged.pairs["held-out"].values()) == counts["test"].items
    twice = np.concatenate([vectors[:60], vectors[:60]])
    doubled = align(twice, [*texts[:60], *texts[:60]], aligner="ridge").stories[-1].counts["vectors"]
    assert sum(one.groups for one in doubled.values()) == 120
    with pytest.raises(LeakError):
        align(vectors, texts, groups=groups, sides=["train", "train", "test", "val"] * 30)


def test_captions_loose_rows_and_bad_rows() -> None:
    vectors, texts = made()
    several: list[Any] = [[text, f"{text} again"] for text in texts]
    several[:5] = [None] * 5
    vectors[7, 3] = np.nan
    space = align(vectors, several, aligner="ridge")
    story = space.stories[-1]
    assert sum(one.lone_items for one in story.counts["vectors"].values()) == 5
    assert [(one.item, one.reason) for one in story.skipped] == [
        ("vectors 7", "1 of 12 numbers are NaN, infinite or beyond float32")
    ]
    with pytest.raises(ItemError, match="NaN"):
        align(vectors, several, aligner="ridge", strict=True)


def test_arrays_are_searched_and_asked_with(aligned: Any) -> None:
    vectors, texts = made(40, seed=3)
    hits = textanchor.search(aligned, "a cat", vectors, modality="mine", k=5)
    assert {texts[int(hit.id.rpartition(" ")[2])] for hit in hits} == {"a cat"}
    again = aligned.search("a cat", list(vectors), modality="mine", k=5)
    assert [hit.id for hit in again] == [hit.id for hit in hits]
    found = textanchor.search(aligned, vectors[0], WORDS, query_modality="mine", modality="text", k=1)
    assert found[0].id == texts[0]
    pairs = vector_pairs(vectors, texts, modality="mine")
    assert "mine" in str(textanchor.diagnose(pairs, encoders={"mine": "vectors@dim=12"}))
    with pytest.raises(InputError, match="mine has no reader.*mine=vectors@dim=<length>"):
        textanchor.fit(pairs)


def test_it_joins_other_modalities(space: Any) -> None:
    both = align(*made(), modality="mine", aligner="ridge", into=space)
    assert set(both.modalities) == {"image", "audio", "mine"}
    assert both.embed("circle").tobytes() == space.embed("circle").tobytes()


def test_what_does_not_fit_is_said(aligned: Any) -> None:
    vectors, texts = made(20)
    with pytest.raises(InputError, match=r"3 texts for 20 vectors: expected one a row"):
        align(vectors, texts[:3])
    with pytest.raises(InputError, match=r"an array \[20\] of float32; expected numbers \[rows, dimensions\]"):
        align(vectors[:, 0], texts)
    with pytest.raises(InputError, match="modality=image: image items are files with a reader; .* image-vectors"):
        align(vectors, texts, modality="image")
    with pytest.raises(InputError, match="modality='a/b': expected letters"):
        align(vectors, texts, modality="a/b")
    with pytest.raises(InputError, match="row 1: texts=3; expected a text"):
        align(vectors[:2], ["x", 3])  # type: ignore[list-item]
    with pytest.raises(ItemError, match=r"a vector of 12 numbers is expected, not \[5\]"):
        aligned.embed(np.zeros(5, np.float32), modality="mine")
    with pytest.raises(InputError, match="no modality 'theirs'"):
        aligned.embed(np.zeros(12, np.float32), modality="theirs")


def test_scikit_learn_takes_the_estimator() -> None:
    vectors, texts = made()
    estimator = textanchor.TextAligner(aligner="ridge", seed=3)
    assert clone(estimator).get_params() == estimator.get_params()
    assert clone(estimator).set_params(seed=4).seed == 4
    line = make_pipeline(StandardScaler(), clone(estimator))
    assert cross_val_score(line, vectors, np.array(texts), cv=2).min() > 0.9
    fitted = line.fit(vectors, texts)
    assert fitted.transform(vectors[:3]).shape[0] == 3
    assert fitted.predict(vectors[:9]).tolist() == texts[:9]
    own = fitted[-1]
    cosines = own.transform(fitted[:-1].transform(vectors[:9])) @ own.transform_texts(own.classes_.tolist()).T
    assert [own.classes_[row] for row in cosines.argmax(axis=1)] == texts[:9]


def test_files_of_vectors(run: Callable[..., Any], tmp_path: Path) -> None:
    vectors, texts = made()
    np.save(tmp_path / "v.npy", vectors.astype(np.float16))
    (tmp_path / "t.txt").write_text("\n".join(texts))
    done = run("import", tmp_path / "v.npy", "--texts", tmp_path / "t.txt", "--modality", "mine", "-o", tmp_path / "space")
    assert done.exit_code == 0, done.stderr
    assert "validation" in done.stdout
    assert textanchor.load(tmp_path / "space").embed(vectors[:2], modality="mine").shape == (2, 384)
    rows = pa.FixedSizeListArray.from_arrays(pa.array(vectors.ravel()), 12)
    groups = [str(row // 2) for row in range(len(texts))]
    pq.write_table(pa.table({"item": groups, "embedding": rows, "caption": texts, "group": groups}), tmp_path / "v.parquet")
    held = read_vectors(tmp_path / "v.parquet")
    np.testing.assert_array_equal(held.vectors, vectors)
    assert held.names is None, "they repeat"
    assert held.groups == tuple(groups)
    assert held.texts[:2] == ((texts[0],), (texts[1],))
    pq.write_table(pa.table({"x": pa.array(vectors.tolist())}), tmp_path / "x.parquet")
    (tmp_path / "t.jsonl").write_text("\n".join(json.dumps({"text": text, "split": "training"}) for text in texts))
    held = read_vectors(tmp_path / "x.parquet", tmp_path / "t.jsonl", column="x")
    assert set(held.sides or ()) == {"train"}
    with pytest.raises(InputError, match="no column of vectors"):
        read_vectors(tmp_path / "x.parquet", tmp_path / "t.txt")


def test_damaged_files_of_vectors(tmp_path: Path) -> None:
    (tmp_path / "a.npy").write_bytes(b"\x93NUMPY nothing")
    np.save(tmp_path / "o.npy", np.array([{}], dtype=object), allow_pickle=True)
    (tmp_path / "a.parquet").write_bytes(b"PAR1")
    (tmp_path / "t.txt").write_text("x")
    for name in ("a.npy", "o.npy", "a.parquet"):
        with pytest.raises(DamagedError):
            read_vectors(tmp_path / name, tmp_path / "t.txt")
    with pytest.raises(InputError, match="is no file of vectors"):
        read_vectors(tmp_path / "t.txt")
    np.save(tmp_path / "v.npy", np.zeros((4, 3), np.float32))
    with pytest.raises(InputError, match="holds no texts; name them: --texts"):
        read_vectors(tmp_path / "v.npy")
    with pytest.raises(InputError, match="more than the limit of 5"):
        read_vectors(tmp_path / "v.npy", tmp_path / "t.txt", limits=textanchor.Limits(numbers=5))
    pq.write_table(pa.table({"vector": pa.array([[1.0], [1.0, 2.0]])}), tmp_path / "r.parquet")
    with pytest.raises(InputError, match="several lengths"):
        read_vectors(tmp_path / "r.parquet", tmp_path / "t.txt")
