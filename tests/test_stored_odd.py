"""Collections under what is odd or broken: derived files, names, archives, catalogues."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from conftest import picture
from test_stored import old
from textanchor import Collection, search


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    for kind in ("circle", "cross", "stripes"):
        (tmp_path / "photos" / kind).mkdir(parents=True)
        for seed in range(3):
            picture(kind, seed).save(tmp_path / "photos" / kind / f"{seed}.png")
    old(tmp_path / "photos")
    return tmp_path / "photos"


@pytest.fixture
def kept(tmp_path: Path, space: Any, photos: Path) -> Collection:
    collection = Collection(tmp_path / "kept", create=True)
    collection.add(space, photos)
    return collection


def best(space: Any, kept: Any, k: int = 20) -> list[tuple[str, float]]:
    return [(hit.id, round(hit.score, 4)) for hit in search(space, "circle", kept, k=k)]


def test_a_damaged_index_is_built_anew(kept: Collection, space: Any) -> None:
    kept.use("faiss(kind=hnsw)")
    expected = best(space, kept)
    for file in (kept.folder / "indexes").glob("*.index"):
        file.write_bytes(file.read_bytes()[:-1] + b"?")
    assert best(space, Collection(kept.folder)) == expected


def test_an_index_that_was_saved_without_its_count_is_built_anew(kept: Collection, space: Any, photos: Path) -> None:
    kept.use("faiss(kind=hnsw)")
    best(space, kept)
    told = {file: file.read_bytes() for file in (kept.folder / "indexes").glob("*.json")}
    picture("square", 50).save(photos / "more.png")
    kept.sync(space)
    expected = best(space, kept)
    for file, content in told.items():
        file.write_bytes(content)
    assert best(space, Collection(kept.folder)) == expected


def test_what_was_forgotten_is_not_taken_for_what_comes_later(kept: Collection, space: Any, shapes: Path, photos: Path) -> None:
    import textanchor

    best(space, kept)
    other = textanchor.fit(shapes / "image", aligner="ridge(alpha=3)", fractions=(0.6, 0.2, 0.2), seed=3)
    kept.sync(other)
    kept.forget(other)
    for number in range(3):
        (photos / "circle" / f"{number}.png").unlink()
        picture("square", 50 + number).save(photos / f"a{number}.png")
    kept.sync(space)
    assert best(space, kept) == best(space, photos)


def test_a_flipped_bit_in_what_was_derived_is_named_and_mended(kept: Collection, space: Any) -> None:
    expected = best(space, kept)
    assert not kept.verify()
    (file,) = (kept.folder / "galleries").glob("*.f32")
    raw = bytearray(file.read_bytes())
    raw[3] ^= 0x40
    file.write_bytes(raw)
    assert [one.file for one in kept.verify()] == [f"galleries/{file.name}"]
    kept.verify(repair=True)
    assert not kept.verify()
    assert best(space, Collection(kept.folder)) == expected


@pytest.mark.parametrize(
    "told",
    ["", "[]", '{"rows": 1e999, "dim": 3}', '{"rows": -5, "dim": 3}', '{"rows": 9, "dim": 0}', '{"rows": 18, "dim": 32}'],
)
def test_a_gallery_of_which_nonsense_is_told_is_made_anew(kept: Collection, space: Any, told: str) -> None:
    expected = best(space, kept)
    for file in (kept.folder / "galleries").glob("*.json"):
        file.write_text(told)
    assert best(space, Collection(kept.folder)) == expected
