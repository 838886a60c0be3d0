"""Search and its index."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from conftest import picture
from textanchor import Part, Query, Terms, build_index, load, search
from textanchor.errors import InputError, MissingError, NothingUsableError
from textanchor.records import Choice, Item
from textanchor.space import Comparison


def test_an_index_that_is_not_there_is_said(space: Any, shapes: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InputError, match="no index is called 'exakt'; did you mean 'exact'"):
        build_index(space, shapes, backend="exakt")
    with pytest.raises(InputError, match="block"):
        build_index(space, shapes, backend="exact(block=0)")
    monkeypatch.setitem(__import__("sys").modules, "faiss", None)
    with pytest.raises(MissingError, match=r"pip install 'textanchor\[index\]'"):
        build_index(space, shapes, backend="faiss")


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
    assert {hit.id for hit in sentences[:2]} == {"a cross", "a cross #2"}  # equal texts; rounding orders them


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
    with pytest.raises(NothingUsableError, match="holds no item"):
        search(space, "x", tmp_path)
    (tmp_path / "bad.png").write_bytes(b"x")
    with pytest.raises(NothingUsableError, match=r"nothing could be embedded; the first of 1: bad\.png: not an image"):
        search(space, "x", tmp_path)


@pytest.fixture(scope="module")
def judged(shapes: Path) -> Any:
    """A space that kept enough validation pairs to know what chance scores are."""
    import textanchor

    return textanchor.fit(shapes, aligner="ridge", fractions=(0.5, 0.3, 0.2))


def test_a_mixed_list_is_ordered_by_chance(judged: Any, shapes: Path) -> None:
    space = judged
    index = build_index(space, shapes)
    hits = search(space, "circle", index, k=96)
    assert [hit.p for hit in hits] == sorted(hit.p for hit in hits)
    assert {hit.modality for hit in hits[:20]} == {"image", "audio"}, "neither modality swamps the other"
    for modality in ("image", "audio"):
        held = [hit for hit in hits if hit.modality == modality]
        alone = search(space, "circle", index, k=96, modality=modality)
        assert [hit.id for hit in alone] == [hit.id for hit in held], "within a modality nothing moves"
    bare = search(space, "circle", index, k=96, order="score")
    assert [hit.score for hit in bare] == sorted((hit.score for hit in bare), reverse=True)


def test_where_nothing_is_known_of_chance_standard_scores_order_a_mixed_list(space: Any, shapes: Path) -> None:
    plain = space.with_modalities({name: replace(one, choice=Choice()) for name, one in space.modalities.items()})
    hits = search(plain, "circle", build_index(plain, shapes), k=96)
    assert hits.line is None
    assert not hits.nothing_relevant
    assert all(hit.p is None and hit.above is None for hit in hits)
    scales = {name: plain.geometry.between("text", name).scale for name in ("image", "audio")}
    standards = [(hit.score - scales[hit.modality][0]) / scales[hit.modality][1] for hit in hits]
    np.testing.assert_allclose(standards, sorted(standards, reverse=True), atol=1e-5)
    for modality, scale in scales.items():
        comparison, view = plain.geometry.between("text", modality), plain.geometry.view(modality)
        scores = comparison.query(view.hubness.texts) @ comparison.gallery(view.hubness.items).T
        assert scale == pytest.approx((scores.mean(), scores.std()), abs=1e-5)


def test_an_item_compared_with_its_own_modality_does_not_count_itself(space: Any) -> None:
    comparison = space.geometry.between("image", "image")
    mean, deviation = comparison.scale
    bank = comparison.query_unit(space.geometry.view("image").hubness.items)
    scores = bank @ bank.T
    off = scores[~np.eye(len(scores), dtype=bool)]
    assert (mean, deviation) == pytest.approx((off.mean(), off.std()), abs=1e-5)
    assert space.geometry.between("text", "text").scale is not None


def test_a_gallery_is_mapped_once_for_all_that_compare_alike(space: Any, shapes: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mapped = []
    gallery = Comparison.gallery
    monkeypatch.setattr(Comparison, "gallery", lambda self, vectors: mapped.append(len(vectors)) or gallery(self, vectors))
    index = build_index(space, shapes)
    sound, picture_ = shapes / "audio" / "cross" / "00.wav", shapes / "image" / "cross" / "00.png"
    for query in ("circle", picture_, sound):
        search(space, query, index, modality="image")
    assert mapped.count(48) == 1, "one gallery of images serves texts, images and sounds: nothing differs but who asks"
    search(space, "circle", index)
    before = len(mapped)
    for query in ("cross", "circle"):
        search(space, query, index)
    assert len(mapped) == before, "neither a gallery nor the scale of scores is worked out again"


def test_galleries_that_are_mapped_differently_are_kept_apart(shapes: Path) -> None:
    import textanchor

    bent = textanchor.fit(shapes, aligner="ridge(view=canonical, hubness=csls)")
    keys = {one: bent.geometry.between(one, "image").key for one in ("text", "image", "audio")}
    assert len(set(keys.values())) == 3
    index = build_index(bent, shapes)
    for query in ("circle", shapes / "audio" / "circle" / "00.wav", shapes / "image" / "circle" / "00.png"):
        alone = search(bent, query, build_index(bent, shapes), k=5, modality="image")
        assert search(bent, query, index, k=5, modality="image") == alone


def test_a_search_among_some_rows(space: Any, shapes: Path) -> None:
    index = build_index(space, shapes)
    rows = [row for row, item in enumerate(index.items) if "/stripes/" in item.id]
    hits = search(space, "circle", index, k=5, allowed=rows)
    assert len(hits) == 5
    assert all("/stripes/" in hit.id for hit in hits)
    assert len(search(space, "circle", index, k=99, modality="image", allowed=rows)) == len(rows) // 2
    assert not search(space, "circle", index, allowed=[])


@pytest.mark.parametrize("spec", ["faiss", "faiss(kind=hnsw)"])
def test_another_backend_finds_the_same(space: Any, shapes: Path, spec: str) -> None:
    pytest.importorskip("faiss")
    expected = search(space, "circle", shapes, k=8)
    found = search(space, "circle", build_index(space, shapes, backend=spec), k=8)
    assert [hit.score for hit in found] == pytest.approx([hit.score for hit in expected], abs=1e-5)
    assert [hit.id for hit in search(space, "circle", shapes, k=8, backend=spec)] == [hit.id for hit in found]


def test_hits_stand_above_or_below_a_line(judged: Any, shapes: Path) -> None:
    index = build_index(judged, shapes / "image")
    hits = search(judged, "circle", index, k=48)
    assert 8 <= hits.line <= 16
    assert not hits.nothing_relevant
    assert [hit.above for hit in hits] == [True] * hits.line + [False] * (48 - hits.line)
    assert sum("circle" in hit.id for hit in hits[: hits.line]) >= 0.9 * hits.line
    others = [row for row, item in enumerate(index.items) if "circle" not in item.id]
    for query in ("circle", "the quarterly tax return was filed late"):
        without = search(judged, query, index, allowed=others)
        assert without.nothing_relevant, "the answers were taken out, or there are none"
        assert len(without) == 10, "what is nearest is shown all the same"
    assert search(judged, "circle", index, k=48, level=0.01).line <= hits.line
    threshold = hits[4].score
    assert len(search(judged, "circle", index, threshold=threshold)) == 5
    assert [hit.id for hit in search(judged, "circle", index, k=3, offset=2)] == [hit.id for hit in hits[2:5]]
    assert search(judged, "circle", index, k=3, offset=2)[0].rank == 3


def test_a_hit_is_explained_and_so_is_what_is_none(judged: Any, shapes: Path, tmp_path: Path, run: Any) -> None:
    from textanchor import absence, explain

    index = build_index(judged, shapes / "image")
    hits = search(judged, "circle", index, k=5)
    told = explain(judged, index, hits)
    assert [one.hit for one in told] == list(hits)
    for one in told:
        assert one.like[0].pair == "circle"
        assert "circle" in one.like[0].name
        assert one.texts[0].name == "circle"
        assert one.like[0].cosine >= one.like[-1].cosine
    every = search(judged, "circle", index, k=48)
    last = every[-1]
    found = absence(judged, "circle", index, last.id, terms=Terms(k=5))
    assert (found.rank, found.score) == (48, pytest.approx(last.score, abs=1e-5))
    assert [reason.kind for reason in found.reasons] == ["rank"]
    filtered = absence(judged, "circle", index, hits[0].id, terms=Terms(k=5, where="id = 'x'"))
    assert [reason.kind for reason in filtered.reasons] == ["filter"]
    assert not absence(judged, "circle", index, hits[0].id, terms=Terms(k=5)).reasons
    with pytest.raises(InputError, match="the collection holds no item 'nothing'"):
        absence(judged, "circle", index, "nothing", terms=Terms())
    space = judged.save(tmp_path / "space")
    again = load(space)
    assert explain(again, index, hits) == told, "a saved space remembers its examples"
    shown = run("search", space, "circle", "--in", shapes / "image", "--explain", "--not", "cross", "--why-not", last.id)
    assert shown.exit_code == 0, shown.stderr
    assert "query, part 2, is near to: 'cross'" in shown.stdout
    assert "like the training items" in shown.stdout
    assert "'circle' (" in shown.stdout
    assert f"{last.id}: rank " in shown.stdout


def test_parts_of_a_query_add_up(judged: Any, shapes: Path) -> None:
    index = build_index(judged, shapes / "image")
    query = Query("circle", Part("cross", weight=-0.5), Part(picture("circle", 77), weight=0.5))
    hits = search(judged, query, index, k=48)
    for hit in hits:
        assert len(hit.parts) == 3
        assert sum(hit.parts) == pytest.approx(hit.score, abs=1e-4)
        assert hit.p is None, "what chance gives such a query is not known"
    assert sum("circle" in hit.id for hit in hits[:10]) >= 8
    alone = search(judged, Query("circle"), index, k=48)
    assert [hit.id for hit in alone] == [hit.id for hit in search(judged, "circle", index, k=48)]
    with pytest.raises(InputError, match="the query has no part"):
        search(judged, Query(), index)
