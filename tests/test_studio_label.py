"""Behind the tabs Map and Label: what is laid flat, what lies together, and what the page may ask of a project."""

from __future__ import annotations

import csv
import io
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

httpx = pytest.importorskip("httpx")
pytest.importorskip("gradio", reason="the extra [studio] is not installed")

from studio_world import HOSTILE, TOKEN, running, write_world  # noqa: E402
from textanchor.evaluation.flat import flat  # noqa: E402
from textanchor.labelling.clusters import clusters  # noqa: E402
from textanchor.labelling.pool import Features, Pool  # noqa: E402
from textanchor.labelling.project import Project  # noqa: E402
from textanchor.studio.label.gathering import Clustered  # noqa: E402
from textanchor.studio.map.colouring import categories  # noqa: E402
from textanchor.studio.map.gathering import of_collection, of_project  # noqa: E402
from textanchor.studio.map.laying import Layouts  # noqa: E402

BEARER = {"authorization": f"Bearer {TOKEN}"}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, shapes: Path, saved: Path) -> Path:
    from textanchor.space.storage import load

    folder = write_world(tmp_path_factory.mktemp("labelled"), shapes, load(saved))
    Project.start(folder / "shapes.sqlite", folder / "kept", classes=["circle", "cross", "square"], space=saved).close()
    return folder


@pytest.fixture(scope="module")
def studio(world: Path) -> Iterator[Any]:
    with running([str(world / "kept"), str(world / "shapes.sqlite")]) as made:
        yield made


@pytest.fixture
def project(studio: Any) -> Project:
    """Each test's own decisions are taken back by nobody: they count what is new."""
    found: Project = studio.opened.projects["p0"].project
    return found


@pytest.fixture
def client(studio: Any) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=studio.address, headers=BEARER) as made:
        yield made


def answer(told: httpx.Response) -> Any:
    assert told.status_code == 200, told.text
    return told.json()["answer"]


# Laid flat


def blobs(count: int, each: int = 12, dim: int = 16) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    centres = rng.normal(size=(count, dim)) * 8
    vectors = np.repeat(centres, each, axis=0) + rng.normal(size=(count * each, dim))
    return vectors.astype(np.float32), np.repeat(np.arange(count), each)


@pytest.mark.parametrize("most", [3000, 40])
def test_neighbours_stay_neighbours(most: int) -> None:
    """Also of those that are put among a sample."""
    vectors, labels = blobs(6, 20)
    points = flat(vectors, most=most)
    assert points.min() >= 0
    assert points.max() <= 1
    apart = np.linalg.norm(points[:, None] - points[None], axis=2) + np.eye(len(points)) * 9
    nearest = labels[np.argsort(apart, axis=1)[:, :3]]
    assert (nearest == labels[:, None]).mean() > 0.95
    assert np.array_equal(points, flat(vectors, most=most))


@pytest.mark.parametrize("count", range(7))
def test_few_and_equal_vectors_and_those_without_one(count: int) -> None:
    vectors = blobs(1, 7)[0][:count]
    assert flat(vectors).shape == (count, 2)
    assert np.isfinite(flat(np.ones((count, 5), np.float32))).all()
    if count > 1:
        vectors[1] = np.nan
        assert np.isnan(flat(vectors)[1]).all()
        assert np.isfinite(np.delete(flat(vectors), 1, axis=0)).all()


def test_a_layout_is_made_once_and_kept(tmp_path: Path) -> None:
    made = []

    def lay(vectors: np.ndarray) -> np.ndarray:
        made.append(len(vectors))
        return np.zeros((len(vectors), 2), np.float32)

    def laid(layouts: Layouts, vectors: np.ndarray) -> np.ndarray:
        while (found := layouts.of(vectors)) is None:
            time.sleep(0.01)
        return found

    vectors = np.ones((4, 3), np.float32)
    first = Layouts(tmp_path, lay=lay)
    assert laid(first, vectors) is laid(first, vectors.copy())
    laid(Layouts(tmp_path, lay=lay), vectors)
    assert made == [4]
    laid(first, vectors * 2)
    assert made == [4, 4]
    (file,) = [one for one in tmp_path.iterdir() if one.stat().st_size][:1]
    file.write_bytes(b"damaged")
    laid(Layouts(tmp_path, lay=lay), vectors)
    laid(Layouts(tmp_path, lay=lay), vectors * 2)
    assert made == [4, 4, 4]

    def fails(_vectors: np.ndarray) -> np.ndarray:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        laid(Layouts(tmp_path, lay=fails), vectors * 3)


def test_points_of_a_collection_and_of_a_project(studio: Any) -> None:
    source, labelling = studio.opened.collections["c0"], studio.opened.projects["p0"]
    of_items, of_entries = of_collection(source), of_project(labelling, studio.opened.space)
    assert len(of_items.keys) == len(set(of_items.keys)) == of_items.total == 27
    assert sorted(source.item(key).id for key in of_items.keys) == sorted(labelling.item(key).id for key in of_entries.keys)
    by_name = {labelling.item(key).id: of_entries.vectors[row] for row, key in enumerate(of_entries.keys)}
    for row, key in enumerate(of_items.keys):
        assert np.allclose(of_items.vectors[row], by_name[source.item(key).id], atol=1e-3)  # a project keeps halves
    few = of_collection(source, most=10)
    assert len(few.keys) == 10
    assert few.total == 27
    assert [source.item(key).modality for key in few.keys] == list(few.modalities)


def test_colours_are_of_the_commonest_values() -> None:
    found = categories("x", ["a", "b", "a", "", *[str(number) for number in range(30)]])
    assert found.values[:1] == ("a",)
    assert len(found.values) == 12
    assert found.codes[:4] == (0, found.codes[1], 0, -1)
    assert found.codes[-1] == -1


# Together


def pool_of(values: np.ndarray) -> Pool:
    count = len(values)
    sight = Features(name="image", values=values, present=np.ones(count, bool))
    return Pool(features=(sight,), classes=("a",), groups=np.arange(count), contents=np.arange(count))


def test_clusters_hold_what_lies_together_and_each_row_once() -> None:
    vectors, labels = blobs(5, 30)
    rows = np.arange(0, 150, 2)
    found = clusters(pool_of(vectors), rows, each=15)
    assert sorted(np.concatenate([one.rows for one in found]).tolist()) == rows.tolist()
    for one in found:
        assert len(set(labels[one.rows])) == 1
        apart = np.linalg.norm(vectors[one.rows] - vectors[one.rows].mean(axis=0), axis=1)
        assert apart[0] < apart[-1]
        assert not set(one.centre(4)) & set(one.edge(4))
        if len(one.rows) >= 8:
            assert one.edge(4)[0] == one.rows[-1]
    assert clusters(pool_of(vectors), np.array([], dtype=np.int64)) == ()
    assert len(clusters(pool_of(np.ones((6, 2), np.float32)), np.arange(6), each=2)) == 1


def test_what_was_decided_is_in_no_cluster(studio: Any, project: Project) -> None:
    clustered = Clustered(studio.opened.projects["p0"])
    first = clustered.cluster(0)
    assert first is not None
    project.decide(first.ids[0], classes=["cross"], who="Ada")
    again = clustered.cluster(first.number)
    assert again is not None
    everything = {name for number in range(again.count) for name in clustered.cluster(number).ids}  # type: ignore[union-attr]
    assert first.ids[0] not in everything
    project.undo("Ada")


# What the page may ask


def test_asking_deciding_and_taking_back(client: httpx.Client, project: Project) -> None:
    one, two = answer(client.post("/studio/label/p0/next", json={"who": "Ada", "count": 2}))
    assert one["status"] == "open"
    assert "how" not in one  # which would tell a repeat
    before = answer(client.get("/studio/label/p0"))
    choices = [{"key": one["key"], "kind": "label", "classes": ["circle"]}]
    answer(client.post("/studio/label/p0/decide", json={"who": "Ada", "choices": choices}))
    assert answer(client.get("/studio/label/p0/version")) != before["version"]
    after = answer(client.get("/studio/label/p0"))
    assert after["progress"]["labelled"] == before["progress"]["labelled"] + 1
    assert answer(client.get("/studio/label/p0/items", params={"keys": one["key"]}))[0]["classes"] == ["circle"]
    (back,) = answer(client.post("/studio/label/p0/undo", json={"who": "Ada"}))
    assert (back["key"], back["status"]) == (one["key"], "open")
    assert answer(client.post("/studio/label/p0/undo", json={"who": "Nobody"})) == []
    others = answer(client.post("/studio/label/p0/next", json={"who": "Bob", "count": 2}))
    assert not {other["key"] for other in others} & {two["key"]}
    project.release("Ada")
    project.release("Bob")


@pytest.mark.parametrize(
    ("path", "body", "told"),
    [
        ("decide", {"who": "", "choices": []}, "who"),
        ("decide", {"who": "Ada", "choices": []}, "choices"),
        ("decide", {"who": "Ada", "choices": [{"key": "1.0000000000000000", "kind": "label", "classes": ["circle"]}]}, ""),
        ("decide", {"who": "Ada", "choices": [{"key": "x", "kind": "take"}]}, "kind"),
        ("decide", {"who": "Ada", "choices": [{"key": "../x", "kind": "none"}]}, ""),
        ("decide", {"who": "Ada", "choices": [{"key": "1.0", "kind": "none"}], "how": "drawn"}, "how"),
        ("next", {"who": "Ada", "count": 5000}, "count"),
        ("next", {"who": "Ada", "stream": "x"}, "stream"),
        ("next", {"who": "Ada", "more": 1}, "more"),
        ("undo", {}, "who"),
        ("propose", {"form": "sure"}, "sure"),
        ("propose", {"level": 0}, "level"),
        ("class", {"who": "Ada", "key": "circle"}, "circle"),
    ],
)
def test_what_cannot_be_meant_changes_nothing(client: httpx.Client, project: Project, path: str, body: Any, told: str) -> None:
    before = len(project.history())
    refused = client.post(f"/studio/label/p0/{path}", json=body)
    assert refused.status_code in (400, 404), refused.text
    assert told in refused.text
    assert len(project.history()) == before


def test_only_json_is_taken_and_only_of_projects_that_are_open(client: httpx.Client) -> None:
    assert (
        client.post("/studio/label/p0/undo", content=b'{"who": "Ada"}', headers={"content-type": "text/plain"}).status_code
        == 415
    )
    assert client.post("/studio/label/p0/undo", data={"who": "Ada"}).status_code == 415
    assert client.post("/studio/label/p7/undo", json={"who": "Ada"}).status_code == 404
    assert client.get("/studio/label/..").status_code == 404
    assert client.get("/studio/map/p7").status_code == 404


def test_many_decisions_are_one_step(client: httpx.Client, project: Project) -> None:
    keys = wait_for(client)["keys"]
    before = len(project.history())
    choices = [{"key": key, "kind": "label", "classes": ["square"]} for key in keys]
    answer(client.post("/studio/label/p0/decide", json={"who": "Cy", "choices": choices, "how": "bulk"}))
    assert len(project.history()) == before + len(keys) == before + 27
    assert len(answer(client.post("/studio/label/p0/undo", json={"who": "Cy"}))) == 27
    broken = [*choices[:3], {"key": keys[3], "kind": "label", "classes": ["no such class"]}]
    before = len(project.history())
    assert client.post("/studio/label/p0/decide", json={"who": "Cy", "choices": broken, "how": "bulk"}).status_code == 400
    assert len(project.history()) == before


def wait_for(client: httpx.Client) -> Any:
    """The map of the project, once it is laid out."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        found = client.get("/studio/map/p0").json()
        if found["state"] == "ready":
            return found
        time.sleep(0.1)
    raise AssertionError("the map was not laid out in a minute")


def test_the_map_tells_places_and_colours(client: httpx.Client) -> None:
    found = wait_for(client)
    assert len(found["x"]) == len(found["y"]) == len(found["keys"]) == 27
    names = [one["name"] for one in found["colours"]]
    assert names == ["class", "decided", "status", "error", "modality"]
    assert {one["key"] for one in found["classes"]} >= {"circle", "cross", "square"}
    card = client.get(f"/studio/item/p0/{found['keys'][0]}").json()
    assert card["name"]
    assert client.get(f"/studio/item/p0/{found['keys'][0][:-1]}x").status_code == 404
    told = [client.get(f"/studio/item/p0/{key}").json()["name"] for key in found["keys"]]
    assert set(HOSTILE) <= set(told)
    assert not any(name.startswith("/") for name in told)


def test_items_of_a_project_are_shown_from_its_places_only(client: httpx.Client, studio: Any, world: Path) -> None:
    source = studio.opened.projects["p0"]
    assert source.roots == (world / "items",)
    entry = source.project.entry("film.mp4")
    key = source.key(entry.number, entry.id)
    assert client.get(f"/studio/play/p0/{key}").headers["content-type"] == "video/mp4"
    place, before = world / "items" / "film.mp4", (world / "items" / "film.mp4").read_bytes()
    try:
        place.unlink()
        place.symlink_to(world / "outside.png")
        assert client.get(f"/studio/play/p0/{key}").status_code == 404
    finally:
        place.unlink()
        place.write_bytes(before)


def test_labels_are_taken_home(client: httpx.Client, project: Project) -> None:
    project.decide("film.mp4", classes=["cross"], who="=Dee")
    table = client.get("/studio/label/p0/export/csv")
    assert table.headers["content-disposition"] == "attachment; filename*=UTF-8''shapes.csv"
    rows = {row["item"]: row for row in csv.DictReader(io.StringIO(table.content.decode("utf-8-sig")))}
    assert len(rows) == 27
    assert "cross" in rows["film.mp4"].values()
    assert pq.read_table(io.BytesIO(client.get("/studio/label/p0/export/parquet").content)).num_rows == 27
    with zipfile.ZipFile(io.BytesIO(client.get("/studio/label/p0/export/label-studio").content)) as archive:
        assert {"image.xml", "image.json", "audio.json"} <= set(archive.namelist())
    assert client.get("/studio/label/p0/export/pickle").status_code == 400
    assert client.get("/studio/label/p0/export/certificate").status_code == 400
    project.undo("=Dee")
