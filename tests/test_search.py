"""Search and its index."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conftest import picture
from textanchor import build_index, registry, search
from textanchor.errors import InputError, NothingUsableError
from textanchor.index import Backend
from textanchor.records import Item
from textanchor.space.spread import spread


@pytest.mark.parametrize("name", registry.names("index"))
@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 999), size=st.integers(1, 30), k=st.integers(1, 30))
def test_index_contract(name: str, seed: int, size: int, k: int) -> None:
    rng = np.random.default_rng(seed)
    vectors, queries = (rng.normal(size=(n, 4)).astype(np.float32) for n in (size, 3))
    vectors[size // 2] = vectors[0]
    backend: Backend = registry.load("index", name)(vectors)
    k = min(k, size)
    scores, rows = backend.top(queries, k)
    for q in range(3):
        slow = sorted((-float(queries[q] @ vectors[j]), j) for j in range(size))[:k]
        np.testing.assert_allclose(scores[q], [-score for score, _ in slow], atol=1e-5)
        assert len(set(rows[q].tolist())) == k
        np.testing.assert_allclose(vectors[rows[q]] @ queries[q], scores[q], atol=1e-5)


def test_a_sentence_finds_files_of_any_or_one_modality(space: Any, shapes: Path) -> None:
    hits = search(space, "cross", shapes, k=8, modality="audio")
    assert [hit.rank for hit in hits] == list(range(1, 9))
    assert {hit.modality for hit in hits} == {"audio"}
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)
    assert sum("/cross/" in hit.id for hit in hits) >= 7
    assert all(hit.path and hit.path.is_file() for hit in hits)
    mixed = search(space, "cross", shapes, k=96)
    assert {hit.modality for hit in mixed} == {"image", "audio"}
    assert len(mixed) == 96


def test_a_file_finds_across_modalities_and_texts(space: Any, shapes: Path) -> None:
    sounds = search(space, shapes / "image" / "stripes" / "04.png", shapes, modality="audio", k=5)
    assert sum("/stripes/" in hit.id for hit in sounds) >= 4
    texts = search(space, picture("stripes", 99), shapes, modality="text", k=4)
    assert texts[0].id == "stripes"
    assert texts[0].path is None
    assert len(texts) == 4


def test_an_index_is_searched_again_and_again(space: Any, shapes: Path) -> None:
    index = build_index(space, shapes)
    first = search(space, "circle", index, k=3)
    assert search(space, "circle", index, k=3) == first == search(space, "circle", shapes, k=3)


def test_collections_in_memory_keep_the_callers_names(space: Any, shapes: Path) -> None:
    items = [Item(id=f"my {name}", modality="image", path=shapes / "image" / name / "00.png") for name in ("circle", "cross")]
    hits = search(space, "cross", items)
    assert hits[0].id == "my cross"
    sentences = search(space, shapes / "image" / "cross" / "00.png", ["a circle", "a cross", "a cross"])
    assert [hit.id for hit in sentences[:2]] == ["a cross", "a cross #2"]


def test_one_bad_file_does_not_hide_the_others(space: Any, shapes: Path, tmp_path: Path) -> None:
    picture("cross", 5).save(tmp_path / "good.png")
    (tmp_path / "bad.wav").write_bytes(b"RIFF????")
    (tmp_path / "notes.xyz").write_bytes(b"?")
    index = build_index(space, tmp_path)
    assert [item.id for item in index.items] == ["good.png"]
    assert {one.item for one in index.skipped} == {"bad.wav", "notes.xyz"}
    assert [hit.id for hit in search(space, "cross", index)] == ["good.png"]


def test_what_cannot_be_searched_is_said(space: Any, shapes: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="k=0: at least 1"):
        search(space, "x", shapes, k=0)
    with pytest.raises(InputError, match=r"no modality 'smell' \(it has: text, image, audio, video\)"):
        search(space, "x", shapes, modality="smell")
    with pytest.raises(InputError, match=r"the collection holds no audio \(it holds: image\)"):
        search(space, "x", shapes / "image", modality="audio")
    with pytest.raises(InputError, match="2 queries were given"):
        search(space, ["x", "y"], shapes)
    with pytest.raises(NothingUsableError, match="holds no item"):
        search(space, "x", tmp_path)
    (tmp_path / "bad.png").write_bytes(b"x")
    with pytest.raises(NothingUsableError, match=r"nothing could be embedded; the first of 1: bad\.png: not an image"):
        search(space, "x", tmp_path)


def test_a_mixed_list_is_ordered_on_one_scale(space: Any, shapes: Path) -> None:
    index = build_index(space, shapes)
    hits = search(space, "circle", index, k=96)
    standards = [hit.standard for hit in hits]
    assert standards == sorted(standards, reverse=True)
    for modality in ("image", "audio"):
        view = space.view(modality)
        scores = space.query(view.hubness.texts, "text", modality) @ space.gallery(view.hubness.items, modality, "text").T
        mean, deviation = spread(space, "text", modality)
        assert (mean, deviation) == pytest.approx((scores.mean(), scores.std()), abs=1e-5)
        held = [hit for hit in hits if hit.modality == modality]
        for hit in held:
            assert hit.standard == pytest.approx((hit.score - mean) / deviation, abs=1e-4)
        alone = search(space, "circle", index, k=96, modality=modality)
        assert [hit.id for hit in alone] == [hit.id for hit in held], "within a modality nothing moves"
        assert all(hit.standard is None for hit in alone)
    bare = search(space, "circle", index, k=96, standardise=False)
    assert [hit.score for hit in bare] == sorted((hit.score for hit in bare), reverse=True)
    assert all(hit.standard is None for hit in bare)


def test_an_item_compared_with_its_own_modality_does_not_count_itself(space: Any) -> None:
    mean, deviation = spread(space, "image", "image")
    bank = space.compared(space.view("image").hubness.items, "image", "image")
    scores = bank @ bank.T
    off = scores[~np.eye(len(scores), dtype=bool)]
    assert (mean, deviation) == pytest.approx((off.mean(), off.std()), abs=1e-5)
    assert spread(space, "text", "text") is not None
