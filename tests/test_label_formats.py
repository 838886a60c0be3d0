"""Labels out of a project and back in: tables, folders, Label Studio."""

from __future__ import annotations

import csv
import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from PIL import Image

from label_made import CLASSES, answered, made
from textanchor.data.pairs import read_pairs
from textanchor.errors import InputError, NothingUsableError
from textanchor.labelling.formats import export_labels, import_labels
from textanchor.labelling.formats.exporting import Exporting
from textanchor.labelling.formats.file_names import file_name
from textanchor.labelling.formats.label_studio import Serving
from textanchor.labelling.formats.label_studio_reading import Known
from textanchor.labelling.pool import Features
from textanchor.labelling.project import Choice, Decision, Project, Settings
from textanchor.labelling.project.filling import Filled
from textanchor.records import Item

HOSTILE = (
    "a/b", "../up", "..", ".hidden", "CON", "nul.txt", "x:y", "100 %", "50%41", "a|b", "name.", "ünï", "k" * 300, "~",
    "-rf", "A", "a",
)  # fmt: skip


def told(project: Project) -> list[tuple[Any, ...]]:
    """The log without numbers: what takes back what is told by what it takes back."""
    log = project.history()
    place = {one.event: number for number, one in enumerate(log)}
    return [
        (one.item, one.kind, one.classes, one.who, one.at, one.how, one.undoes and place[one.undoes], one.undone) for one in log
    ]


def states(project: Project) -> list[Any]:
    return [(one.id, one.state) for one in project.entries()]


def busy(file: Path, **settings: Any) -> Project:
    """A project with everything in its log: labels of two people, what is none and unsure, undone steps, proposals, audits."""
    project = made(file, count=90, **settings)
    answered(project, 30)
    project.propose(level=0.2)
    project.accept(above=0.5, who="Ada")
    project.undo("Ada")
    project.accept(["red"], who="Ada")
    for kind in ("accept", "unsure", "none"):
        for ask in project.next("Bob", 2):
            project.decide(ask.entry.id, kind, who="Bob")
    project.decide_all([Choice(item="item 1", classes=("blue",)), Choice(item="item 2", classes=("red",))], who="Bob")
    project.undo("Bob")
    project.decide("item 1", classes=["red"], who="Bob")
    return project


@pytest.mark.parametrize("output", ["out.csv", "out.parquet", "folder", "label-studio"])
@pytest.mark.parametrize("multi", [False, True])
def test_what_is_exported_comes_back_whole(tmp_path: Path, output: str, multi: bool) -> None:
    if multi:
        project = made(tmp_path / "p", multi=True)
        project.decide("item 1", classes=["red", "blue"], who="Ada")
        project.decide("item 2", classes=["green"], who="Bob")
        project.decide("item 2", "none", who="Ada")
        project.undo("Bob")
        project.decide("item 3", classes=["blue"], who="Bob")
    else:
        project = busy(tmp_path / "p")
    kind = output if "." not in output else ""
    done = export_labels(project, tmp_path / output, Exporting(format=kind))
    assert done.items == len(project.entries())
    other = made(tmp_path / "q", count=90 if not multi else 60, multi=multi)
    brought = import_labels(other, tmp_path / output)
    assert brought.new == len(project.history())
    assert not brought.skipped
    assert told(other) == told(project)
    assert [(name, one.status, one.classes, one.who, one.disagree) for name, one in states(other)] == [
        (name, one.status, one.classes, one.who, one.disagree) for name, one in states(project)
    ]
    again = import_labels(other, tmp_path / output)
    assert (again.new, again.known) == (0, brought.new)
    assert told(other) == told(project)


def test_tables_say_how_items_stand(tmp_path: Path) -> None:
    project = busy(tmp_path / "p")
    export_labels(project, tmp_path / "out.csv")
    export_labels(project, tmp_path / "out.parquet")
    with (tmp_path / "out.csv").open(newline="") as file:
        rows = {row["item"]: row for row in csv.DictReader(file)}
    table = {row["item"]: row for row in pq.read_table(tmp_path / "out.parquet").to_pylist()}
    assert len(rows) == len(table) == 90
    for entry in project.entries():
        row, typed = rows[entry.id], table[entry.id]
        assert row["label"] == "|".join(entry.state.classes) == (typed["label"] or "")
        assert row["status"] == entry.state.status == typed["status"]
        assert typed["disagree"] is entry.state.disagree
        known = entry.proposed and pytest.approx(entry.proposed.probability, abs=1e-5)
        assert typed["probability"] == known
    with pytest.raises(InputError, match="exists already"):
        export_labels(project, tmp_path / "out.csv")
    few = export_labels(project, tmp_path / "out.csv", Exporting(overwrite=True, only_decided=True))
    assert few.items < 90


def test_what_nobody_knows_how_to_write_is_said(tmp_path: Path) -> None:
    project = made(tmp_path / "p")
    for output, kind in (("out.xlsx", ""), ("out", "excel")):
        with pytest.raises(InputError, match="known: csv, parquet, folder, label-studio"):
            export_labels(project, tmp_path / output, Exporting(format=kind))
    with pytest.raises(InputError, match="nothing for the folders"):
        export_labels(project, tmp_path / "out", Exporting(format="folder"))
    assert not (tmp_path / "out").exists()


@pytest.fixture
def pictures(tmp_path: Path) -> Project:
    """Files in folders, two of which have one name, labelled with classes that are hostile as names of folders."""
    items = []
    for place in range(2 * len(HOSTILE)):
        path = tmp_path / "photos" / f"side {place % 2}" / f"{place // 2}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (4, 4), (place, 0, 0)).save(path)
        items.append(Item(id=path.relative_to(tmp_path / "photos").as_posix(), modality="image", path=path))
    values = np.eye(len(items), dtype=np.float32)
    features = [Features(name="image", values=values, present=np.ones(len(items), dtype=bool))]
    project = Project.begin(
        tmp_path / "p", Filled(items=items, features=features), classes=HOSTILE, settings=Settings(strategy="random")
    )
    for place, item in enumerate(items):
        project.decide(item.id, classes=[HOSTILE[place // 2]], who="Ada")
    return project


@pytest.mark.parametrize("how", ["copy", "link", "symlink"])
def test_a_folder_a_class_whatever_it_is_called(pictures: Project, tmp_path: Path, how: str) -> None:
    done = export_labels(pictures, tmp_path / "out" / "in", Exporting(format="folder", how=how))
    assert done.files == 2 * len(HOSTILE)
    folders = [one for one in (tmp_path / "out" / "in").iterdir() if one.is_dir()]
    assert len(folders) == len(HOSTILE)
    assert {one.name for one in tmp_path.iterdir()} == {"photos", "p", "p-wal", "p-shm", "out"}
    assert [one.name for one in (tmp_path / "out").iterdir()] == ["in"]
    for folder in folders:
        assert len(list(folder.iterdir())) == 2
        assert all(one.read_bytes()[:4] == b"\x89PNG" and one.is_symlink() == (how == "symlink") for one in folder.iterdir())
    found = read_pairs(tmp_path / "out" / "in")
    assert len(found.rows) == 2 * len(HOSTILE)
    other = json.loads((tmp_path / "out" / "in" / ".textanchor-labels.json").read_text())
    assert {one["key"] for one in other["classes"].values()} == {one.key for one in pictures.classes}


def test_names_of_files_lead_nowhere_and_differ() -> None:
    made_of = {name: file_name(name) for name in HOSTILE}
    assert len(set(made_of.values())) == len(HOSTILE)
    for name, one in made_of.items():
        assert one not in ("", ".", "..")
        assert not set(one) & set('/\\:*?"<>|\n\t')
        assert len(one.encode()) <= 120, name
    assert file_name("dog") == "dog"
    assert file_name("k" * 300 + ".png").endswith(".png")


@pytest.mark.parametrize("multi", [False, True])
def test_label_studio_takes_it_at_the_first_try(tmp_path: Path, multi: bool) -> None:
    """By Label Studio's own validation."""
    interface = pytest.importorskip("label_studio_sdk.label_interface", reason="label-studio-sdk is not installed")
    project = made(tmp_path / "p", multi=True) if multi else busy(tmp_path / "p")
    project.add_class('tricky & <b> "quoted"', "words")
    project.decide("item 5", classes=['tricky & <b> "quoted"', *(["red"] if multi else [])], who="Ada")
    project.decide("item 6", "none", who="Ada")
    export_labels(project, tmp_path / "out", Exporting(format="label-studio"))
    config = interface.LabelInterface((tmp_path / "out" / "document.xml").read_text())
    config.validate()
    tasks = json.loads((tmp_path / "out" / "document.json").read_text())
    assert len(tasks) == len(project.entries())
    counts = {"annotations": 0, "predictions": 0}
    for task in tasks:
        assert config.validate_task({"data": task["data"]})
        for one in task["predictions"]:
            counts["predictions"] += 1
            assert not config.validate_prediction(one, return_errors=True)
            assert 0 <= one["score"] <= 1
            assert one["model_version"]
        for one in task["annotations"]:
            counts["annotations"] += 1
            assert config.validate_annotation(one)
            assert all(region["type"] == "choices" for region in one["result"])
    assert counts["annotations"] >= 2
    assert counts["predictions"] == (0 if multi else 60)
    broken = {"result": [{**tasks[5]["annotations"][0]["result"][0], "value": {"choices": ["no such class"]}}]}
    assert not config.validate_annotation(broken)


def test_files_are_named_as_label_studio_serves_them(pictures: Project, tmp_path: Path) -> None:
    export_labels(pictures, tmp_path / "a", Exporting(format="label-studio"))
    url = json.loads((tmp_path / "a" / "image.json").read_text())[0]["data"]["image"]
    assert url == "/data/local-files/?d=" + str(tmp_path / "photos/side 0/0.png").lstrip("/").replace(" ", "%20")
    serving = Serving(prefix="https://files.example/", root=tmp_path / "photos")
    export_labels(pictures, tmp_path / "b", Exporting(format="label-studio", serving=serving))
    assert json.loads((tmp_path / "b" / "image.json").read_text())[0]["data"]["image"] == "https://files.example/side%200/0.png"


def test_an_export_of_label_studio_itself_comes_in(pictures: Project, tmp_path: Path) -> None:
    """As Label Studio writes it: with what ours lacks, several annotators, skipped tasks, names that it gave to uploads."""
    real = [
        {
            "id": 17, "inner_id": 1, "project": 4, "created_at": "2026-01-01T00:00:00.000000Z", "file_upload": "3f2a9c1d-0.png",
            "drafts": [], "predictions": [], "total_annotations": 2, "meta": {}, "comment_count": 0,
            "data": {"picture": "/data/upload/4/3f2a9c1d-3.png", "side": "unused"},
            "annotations": [],
        },
        {
            "id": 18,
            "data": {"picture": "/data/local-files/?d=some/photos/side%201/4.png"},
            "annotations": [
                {
                    "id": 70, "completed_by": {"id": 3, "email": "ada@example.org", "first_name": "Ada", "last_name": ""},
                    "result": [
                        {"id": "Xy1", "from_name": "whatever", "to_name": "img", "type": "choices", "origin": "manual",
                         "value": {"choices": ["CON"]}},
                        {"id": "r", "from_name": "box", "to_name": "img", "type": "rectanglelabels", "value": {"x": 1}},
                    ],
                    "was_cancelled": False, "ground_truth": False, "lead_time": 3.2,
                    "created_at": "2026-02-03T10:00:00.123456Z", "updated_at": "2026-02-03T11:30:00.123456Z",
                },
                {"id": 71, "completed_by": 9, "result": [], "was_cancelled": True, "created_at": "2026-02-03T12:00:00Z"},
            ],
        },
        {"id": 19, "data": {"picture": "https://elsewhere/none.png"}, "annotations": [{"id": 72, "result": []}]},
    ]  # fmt: skip
    (tmp_path / "export.json").write_text(json.dumps(real))
    brought = import_labels(pictures, tmp_path / "export.json")
    assert brought.new == 2
    assert [(one.kind, one.classes, one.who, one.at, one.how) for one in pictures.history()[-2:]] == [
        ("import", ("CON",), "ada@example.org", "2026-02-03T11:30:00.123+00:00", "import"),
        ("unsure", (), "label-studio 9", "2026-02-03T12:00:00.000+00:00", "import"),
    ]
    assert [one.item for one in brought.skipped] == ["task 17", "task 19"]  # 3.png is in two folders
    assert import_labels(pictures, tmp_path / "export.json").new == 0


def test_what_was_changed_in_label_studio_is_news(tmp_path: Path) -> None:
    project = made(tmp_path / "p")
    project.decide("item 1", classes=["red"], who="Ada")
    project.decide("item 2", classes=["red"], who="Ada")
    export_labels(project, tmp_path / "out", Exporting(format="label-studio"))
    tasks = json.loads((tmp_path / "out" / "document.json").read_text())
    tasks[1]["annotations"][0]["result"][0]["value"]["choices"] = ["blue"]
    tasks[1]["annotations"][0].update(completed_by=4, updated_at="2026-05-05T00:00:00Z")
    (tmp_path / "back.json").write_text(json.dumps(tasks))
    assert import_labels(project, tmp_path / "back.json").new == 1
    assert project.entry("item 1").state.disagree
    assert project.entry("item 1").state.classes == ("blue",)
    assert project.entry("item 2").state.classes == ("red",)


def test_tables_that_people_have_come_in(tmp_path: Path) -> None:
    project = made(tmp_path / "p")
    (tmp_path / "t.csv").write_text('File Name,Class,Annotator\nitem 1,red,Ada\nitem 2,,Ada\nitem 99,red,Ada\n"item 3",blue,\n')
    brought = import_labels(project, tmp_path / "t.csv", who="Bob")
    assert brought.new == 2
    assert [one.item for one in brought.skipped] == ["t.csv:4"]
    assert [(one.item, one.classes, one.who) for one in project.history()] == [
        ("item 1", ("red",), "Ada"),
        ("item 3", ("blue",), "Bob"),
    ]
    (tmp_path / "u.csv").write_text("item,label\nitem 1,violet\n")
    with pytest.raises(InputError, match="violet; take them too with --add-classes"):
        import_labels(project, tmp_path / "u.csv")
    assert import_labels(project, tmp_path / "u.csv", add_classes=True).classes == ("violet",)
    (tmp_path / "v.csv").write_text("name,colour\nitem 1,red\n")
    with pytest.raises(InputError, match="has the columns name, colour"):
        import_labels(project, tmp_path / "v.csv")
    (tmp_path / "w.csv").write_text("item,label\nx,red\n")
    with pytest.raises(NothingUsableError, match="holds no decision"):
        import_labels(project, tmp_path / "w.csv")
    (tmp_path / "x.json").write_text("{}")
    with pytest.raises(InputError, match="no export of Label Studio"):
        import_labels(project, tmp_path / "x.json")
    with pytest.raises(InputError, match="no table"):
        import_labels(project, tmp_path)


def test_several_classes_in_one_cell(tmp_path: Path) -> None:
    project = made(tmp_path / "p", multi=True)
    (tmp_path / "t.csv").write_text("item,labels\nitem 1,red|blue\n")
    import_labels(project, tmp_path / "t.csv")
    assert project.entry("item 1").state.classes == ("red", "blue")


def test_items_are_known_by_ids_and_by_ends_that_are_one_items_alone() -> None:
    known = Known(ids=frozenset({"a/1.png", "b/1.png", "b/2.png", "plain text"}))
    assert known.find("/data/local-files/?d=x/b/2.png") == "b/2.png"
    assert known.find("https://host/x/a/1.png?token=3") == "a/1.png"
    assert known.find("1.png") is None
    assert known.find("s3://bucket/0a1b2c3d-2.png") == "b/2.png"
    assert known.find("plain text") == "plain text"
    assert known.find("nothing") is None


def test_a_large_project_is_out_in_seconds(tmp_path: Path) -> None:
    project = made(tmp_path / "p", count=5000)
    project.bring(
        [
            Decision(event=row, item=f"item {row}", kind="import", classes=(CLASSES[row % 3],), who="Ada",
                     at="2026-01-01T00:00:00", how="import")
            for row in range(0, 5000, 2)
        ]
    )  # fmt: skip
    since = time.monotonic()
    export_labels(project, tmp_path / "out", Exporting(format="label-studio"))
    assert time.monotonic() - since < 20
