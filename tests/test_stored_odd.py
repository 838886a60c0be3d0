"""Collections under what is odd or broken: derived files, names, archives, catalogues."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from conftest import picture
from test_stored import old
from textanchor import Collection, search
from textanchor.errors import DamagedError, InputError
from textanchor.metrics.chance import Chance


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


def test_two_files_of_one_written_name_are_told_apart(tmp_path: Path, space: Any, photos: Path) -> None:
    picture("cross", 7).save(photos / "caf\\xe9.png")
    picture("cross", 8).save(photos / "more.png")
    (photos / "more.png").rename(photos / "caf\udce9.png")
    (report,) = Collection(tmp_path / "kept", create=True).add(space, photos)
    assert (report.new, report.skipped, report.seen) == (10, 1, 11)
    assert report.left_out[0].reason == "another item has the same name"


def test_a_field_with_half_a_character_is_kept(tmp_path: Path, space: Any, photos: Path) -> None:
    table = tmp_path / "table.jsonl"
    table.write_text(json.dumps({"image": "photos/circle/0.png", "text": "a circle", "camera": "\ud800"}))
    kept = Collection(tmp_path / "kept", create=True)
    kept.add(space, table)
    assert [dict(one.fields)["camera"] for one in kept.items()] == ["\ufffd"]


def test_a_damaged_catalogue_is_said(kept: Collection, run: Any) -> None:
    kept.close()
    file = kept.folder / "collection.sqlite"
    raw = bytearray(file.read_bytes())
    for page in range(4096, len(raw), 4096):
        raw[page : page + 64] = b"\xff" * 64
    file.write_bytes(raw)
    for command in ("info", "list", "verify"):
        done = run("collection", command, kept.folder)
        assert done.exit_code == 2
        assert "restore it, or make it anew" in done.stderr


def test_packed_bytes_that_are_damaged_cost_one_item(tmp_path: Path, space: Any) -> None:
    file = tmp_path / "words.zip"
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.txt", "a circle")
        archive.writestr("b.txt", "a cross " * 40 + "and stripes")
    raw = bytearray(file.read_bytes())
    at = raw.index(b"b.txt") + 5
    raw[at : at + 4] = b"\xff" * 4
    file.write_bytes(raw)
    (report,) = Collection(tmp_path / "kept", create=True).add(space, file)
    assert (report.new, report.skipped) == (1, 1)
    raw[raw.rindex(b"PK\1\2") + 6] = 99
    file.write_bytes(raw)
    with pytest.raises(InputError, match="is not a readable archive: zip file version"):
        Collection(tmp_path / "other", create=True).add(space, file)


def test_a_field_that_no_item_has_is_said(kept: Collection, space: Any, photos: Path) -> None:
    for place in (kept, photos):
        with pytest.raises(InputError, match="no item has a field 'yaer'.*known are: id, modality, path"):
            search(space, "circle", place, where="yaer > 3")
        assert len(search(space, "circle", place, where="yaer is missing")) == 9
        assert not search(space, "circle", place, where="id = 'nobody'")


def test_vectors_that_point_nowhere_are_refused(kept: Collection, space: Any) -> None:
    for number, why in ((0.0, "points nowhere"), (1e300, "too large"), (1e30, "too large"), (float("nan"), "NaN")):
        with pytest.raises(InputError, match=why):
            search(space, np.full(space.dim, number), kept)


def test_vectors_that_embed_did_not_write_are_refused(tmp_path: Path, space: Any, saved: Path, photos: Path, run: Any) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    done = run("embed", photos, "--space", saved, "-o", tmp_path / "made.parquet")
    assert not done.exit_code, done.stderr
    made = pq.read_table(tmp_path / "made.parquet")
    empty = [None, *made["vector"].to_pylist()[1:]]
    for number, table in enumerate(
        (
            made.slice(0, 0),
            made.drop_columns(["content"]),
            made.set_column(4, "vector", pa.array(empty, made.schema.field("vector").type)),
            made.set_column(4, "vector", pa.array(["x"] * len(made))),
            made.set_column(1, "modality", pa.array(["odour"] * len(made))),
        )
    ):
        file = tmp_path / f"{number}.parquet"
        pq.write_table(table.replace_schema_metadata(made.schema.metadata), file)
        with pytest.raises(DamagedError, match="embed wrote"):
            search(space, "circle", file)


def test_chance_needs_two_queries_and_two_items() -> None:
    """With one of either it cannot be known how much they differ, and the line did not keep its level."""
    scores = np.random.default_rng(0).normal(size=(1, 50)).astype(np.float32)
    assert Chance.of(scores, np.ones((1, 50), dtype=bool)) is None
    assert Chance.of(scores.T, np.ones((50, 1), dtype=bool)) is None
    assert Chance.of(scores.reshape(5, 10), np.ones((5, 10), dtype=bool)) is not None
