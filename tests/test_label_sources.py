"""Where a project's items come from: folders of several kinds, tables, collections, Python; and how it follows them."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from conftest import ROOT, picture, write_shapes
from textanchor import Collection, Project, fit
from textanchor.errors import InputError, NothingUsableError
from textanchor.labelling.project import Class

SIGNAL = {"image": "signal", "audio": "signal"}
SHAPES = ("circle", "cross", "square", "stripes")


def shape(name: str) -> str:
    return next(one for one in SHAPES if one in name)


@pytest.fixture(scope="module")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_shapes(tmp_path_factory.mktemp("shapes") / "pairs")


def test_pictures_and_sounds_in_one_project(pairs: Path, tmp_path: Path) -> None:
    project = Project.start(tmp_path / "p", pairs, classes=SHAPES, encoders=SIGNAL)
    pool = project.pool()
    assert [one.name for one in pool.features] == ["image", "audio"]
    sizes = [int(one.present.sum()) for one in pool.features]
    assert sum(sizes) == len(pool)
    assert min(sizes) > 10
    assert not (pool.features[0].present & pool.features[1].present).any()
    for one in pool.features:
        assert not one.values[~one.present].any()
        assert np.sqrt((one.values[one.present] ** 2).sum(axis=1).mean()) == pytest.approx(1, abs=1e-2)
    for ask in project.next("Ada", 40):
        project.decide(ask.entry.id, classes=[shape(ask.entry.id)], who="Ada")
    run = project.propose(level=0.2)
    assert run.accuracy is not None
    assert run.accuracy > 0.6


def test_a_table_tells_labels_and_groups(pairs: Path, tmp_path: Path) -> None:
    project = Project.start(tmp_path / "p", pairs / "pairs.csv", labels="text", encoders=SIGNAL, who="the table")
    assert {one.key for one in project.classes} == set(SHAPES)
    entry = project.entries(limit=1)[0]
    assert (entry.state.kind, entry.state.who, entry.state.classes) == ("import", "the table", (shape(entry.id),))
    with (pairs / "pairs.csv").open(newline="") as file:
        groups = {row["group"] for row in csv.DictReader(file) if row.get("group")}
    assert {one.group for one in project.entries()} - {""} == groups


def test_labels_must_be_of_the_classes_that_were_named(pairs: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is labelled 'circle', which is none of the classes"):
        Project.start(tmp_path / "p", pairs, labels="text", classes=["cross", "square", "stripes"], encoders=SIGNAL)
    assert not (tmp_path / "p").exists()


def test_bytes_in_the_cells_of_a_table(tmp_path: Path) -> None:
    cells = []
    for place in range(12):
        picture(SHAPES[place % 4], place).save(tmp_path / "one.png")
        cells.append({"bytes": (tmp_path / "one.png").read_bytes(), "path": f"{place}.png"})
    pq.write_table(pa.table({"image": cells, "label": [SHAPES[place % 4] for place in range(12)]}), tmp_path / "t.parquet")
    project = Project.start(tmp_path / "p", tmp_path / "t.parquet", labels="label", encoders=SIGNAL)
    entry = project.entries(label="cross", limit=1)[0]
    assert entry.item.value.read()[:4] == b"\x89PNG"


def test_a_collection_and_its_space(pairs: Path, tmp_path: Path) -> None:
    space = fit(pairs, encoders=SIGNAL, aligner="ridge")
    space.save(tmp_path / "space")
    kept = Collection(tmp_path / "kept", create=True)
    import textanchor

    loaded = textanchor.load(tmp_path / "space")
    kept.add(loaded, pairs)
    kept.close()
    project = Project.start(
        tmp_path / "p", tmp_path / "kept", classes=[Class(key=one, text=one) for one in SHAPES], space=loaded
    )
    assert project.space == str(tmp_path / "space")
    vectors, pool = project.vectors(), project.pool()
    assert vectors is not None
    assert vectors.shape == (len(pool), loaded.dim)
    assert pool.by_names is not None
    np.testing.assert_allclose(pool.by_names.sum(axis=1), 1, atol=1e-5)
    right = pool.by_names.argmax(axis=1) == [SHAPES.index(shape(one.id)) for one in project.entries()]
    assert right.mean() > 0.8
    by_names = project.propose()
    assert by_names.proposer == "names"
    assert "names alone" in by_names.says[0]
    assert project.propose(proposer="logistic").proposer == "names", "which learns from labels only"
    np.testing.assert_allclose(project.probabilities(), pool.by_names, atol=1e-3)
    assert project.propose(proposer="name-shots").says[0] == "proposed by the classes' names alone, by name-shots"
    leaning = project.probabilities()
    assert leaning is not None
    assert not np.allclose(leaning, pool.by_names, atol=0.01)
    assert (leaning.argmax(axis=1) == [SHAPES.index(shape(one.id)) for one in project.entries()]).mean() > 0.8
    project.add_class("star", "a star with five points")
    assert project.pool().by_names is None
    project.propose()
    assert project.pool().by_names is not None
    assert project.pool().by_names.shape == (len(pool), 5)


def test_what_lies_in_memory_only(tmp_path: Path) -> None:
    pictures = [Image.fromarray(np.full((8, 8), 20 * place, dtype=np.uint8)) for place in range(10)]
    project = Project.start(tmp_path / "p", pictures, classes=["dark", "light"], encoders=SIGNAL)
    assert len(project.pool()) == 10
    assert project.entry("image 3").item.value is None
    words = Project.start(tmp_path / "q", ["one sentence", "another sentence", "a third one"], classes=["a", "b"])
    assert words.entry("a third one").item.value == "a third one"


def test_a_project_follows_its_source(tmp_path: Path) -> None:
    folder = tmp_path / "photos"
    folder.mkdir()
    for place in range(12):
        picture(SHAPES[place % 4], place).save(folder / f"{place:02d}.png")
    project = Project.start(tmp_path / "p", folder, classes=SHAPES, encoders=SIGNAL)
    project.decide("00.png", classes=["circle"], who="Ada")
    project.decide("03.png", classes=["stripes"], who="Ada")
    order = [one.id for one in project.entries(order="random")]
    (folder / "03.png").unlink()
    picture("square", 77).save(folder / "05.png")
    picture("square", 78).save(folder / "12.png")
    (folder / "13.png").write_bytes(b"not a picture")
    found = project.sync()
    assert (found.new, found.gone, found.changed, found.unchanged, found.skipped) == (1, 1, 1, 10, 1)
    assert project.entry("00.png").state.classes == ("circle",)
    with pytest.raises(InputError, match=r"no item '03\.png'"):
        project.entry("03.png")
    assert len(project.pool()) == 12
    assert [name for name in (one.id for one in project.entries(order="random")) if name != "12.png"] == [
        name for name in order if name != "03.png"
    ]
    picture("stripes", 3).save(folder / "03.png")
    assert project.sync().new == 1
    assert project.entry("03.png").state.classes == ("stripes",)
    again = Project.start(tmp_path / "q", folder, classes=SHAPES, encoders=SIGNAL)
    place = {one.id: row for row, one in enumerate(again.entries())}
    other = {one.id: row for row, one in enumerate(project.entries())}
    one, two = again.pool().features[0].values, project.pool().features[0].values
    rows = [place[name] for name in other]
    np.testing.assert_allclose(one[rows] @ one[rows].T, two @ two.T, atol=0.02)


def test_too_few_items_are_an_answer(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    picture("circle", 1).save(tmp_path / "in" / "1.png")
    (tmp_path / "in" / "2.png").write_bytes(b"x")
    with pytest.raises(NothingUsableError, match=r"1 of 2 items can be read.*2\.png"):
        Project.start(tmp_path / "p", tmp_path / "in", encoders=SIGNAL)


def test_two_files_of_one_id_are_refused(pairs: Path, tmp_path: Path) -> None:
    rows = ["path,item"] + [f"{path},{name}" for path, name in zip(sorted(pairs.rglob("*.png")), "abcdd", strict=False)]
    (tmp_path / "t.csv").write_text("\n".join(rows))
    with pytest.raises(InputError, match=r"calls two items 'd': .*03\.png and .*04\.png"):
        Project.start(tmp_path / "p", tmp_path / "t.csv", encoders=SIGNAL)
    (tmp_path / "t.csv").write_text("\n".join([*rows[:-1], rows[-2]]))
    assert len(Project.start(tmp_path / "p", tmp_path / "t.csv", encoders=SIGNAL).pool()) == 4


CLIPS = ROOT.parent / "shared" / "data" / "video_clips"


@pytest.mark.slow
@pytest.mark.skipif(not CLIPS.is_dir(), reason="the shared video clips are not here")
def test_videos_are_seen_and_heard(tmp_path: Path) -> None:
    project = Project.start(tmp_path / "p", CLIPS, labels="text", encoders=SIGNAL)
    pool: Any = project.pool()
    assert [one.name for one in pool.features] == ["image", "audio"]
    assert all(one.present.all() for one in pool.features)
    assert len(pool) == 24
