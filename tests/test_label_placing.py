"""What an export calls items and files: nothing of this machine, wherever the folder lies tomorrow."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from conftest import picture
from textanchor.labelling.formats import export_labels, import_labels
from textanchor.labelling.formats.exporting import Exporting
from textanchor.labelling.formats.label_studio import Serving
from textanchor.labelling.project import Project

FORMATS = ["out.csv", "out.parquet", "folder", "label-studio"]


def begun(folder: Path, file: Path) -> Project:
    """Two folders that have a name in common, of which the second one's item is known by its whole path."""
    for seed, name in enumerate(("one/a/1.png", "one/a/2.png", "one/3.png", "two/a/1.png", "two/9.png")):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        picture("circle", seed).save(folder / name)
    project = Project.start(file, folder / "one", classes=["circle", "cross"], encoders={"image": "signal"})
    project.sync(folder / "two", encoders={"image": "signal"})
    for place, entry in enumerate(project.entries()):
        project.decide(entry.id, classes=["circle" if place % 2 else "cross"], who="Ada")
    project.undo("Ada")
    project.decide(project.entries()[0].id, "none", who="Bob")
    return project


def told(project: Project, folder: Path) -> list[tuple[str, str, tuple[str, ...], str, str, bool]]:
    return [
        (one.item.replace(str(folder), ""), one.kind, one.classes, one.who, one.at, one.undone) for one in project.history()
    ]


@pytest.mark.parametrize("output", FORMATS)
def test_an_export_says_nothing_of_this_machine_and_comes_back_on_another(tmp_path: Path, output: str) -> None:
    here, there = tmp_path / "here" / "items", tmp_path / "there" / "in" / "items"
    project = begun(here, tmp_path / "p")
    assert any(one.id.startswith(str(here)) for one in project.entries())
    how = Exporting(format=output if "." not in output else "")
    export_labels(project, tmp_path / output, how)
    written = [one for one in (tmp_path / output).rglob("*") if one.is_file()] or [tmp_path / output]
    for file in written:
        assert str(tmp_path).encode() not in file.read_bytes(), file
    shutil.copytree(here, there)
    other = Project.start(tmp_path / "q", there / "one", classes=["circle", "cross"], encoders={"image": "signal"})
    other.sync(there / "two", encoders={"image": "signal"})
    brought = import_labels(other, tmp_path / output)
    assert (brought.new, brought.skipped) == (len(project.history()), ())
    assert told(other, there) == told(project, here)
    assert import_labels(project, tmp_path / output).new == 0


def test_tables_say_in_which_folder_paths_begin(tmp_path: Path) -> None:
    project = begun(tmp_path / "items", tmp_path / "p")
    done = export_labels(project, tmp_path / "out.csv")
    export_labels(project, tmp_path / "out.parquet")
    assert done.folder == tmp_path / "items"
    with (tmp_path / "out.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["path"], row["folder"]) for row in rows][-2:] == [("two/9.png", "items"), ("two/a/1.png", "items")]
    assert all((done.folder / row["path"]).is_file() for row in rows)
    assert [row["path"] for row in pq.read_table(tmp_path / "out.parquet").to_pylist()] == [row["path"] for row in rows]


def test_a_file_outside_the_folder_keeps_its_path(tmp_path: Path) -> None:
    for name in ("1.png", "2.png"):
        (tmp_path / "table").mkdir(exist_ok=True)
        picture("circle", 1).save(tmp_path / "table" / name)
    picture("cross", 2).save(tmp_path / "outside.png")
    (tmp_path / "table" / "t.csv").write_text(f"path\n1.png\n2.png\n{tmp_path}/outside.png\n")
    project = Project.start(tmp_path / "p", tmp_path / "table" / "t.csv", classes=["a", "b"], encoders={"image": "signal"})
    project.decide(project.entries()[0].id, classes=["a"], who="Ada")
    export_labels(project, tmp_path / "out.csv")
    with (tmp_path / "out.csv").open(newline="") as file:
        rows = {row["path"]: row["folder"] for row in csv.DictReader(file)}
    assert rows.pop("1.png") == rows.pop("2.png") == "table"
    assert rows == {str(tmp_path / "outside.png"): ""}


def test_what_an_older_export_wrote_comes_in_too(tmp_path: Path) -> None:
    """With whole paths as items, as of this machine or of another."""
    project = begun(tmp_path / "items", tmp_path / "p")
    (tmp_path / "old.csv").write_text(f"item,label\n{tmp_path}/items/two/a/1.png,circle\n/elsewhere/items/two/9.png,cross\n")
    assert import_labels(project, tmp_path / "old.csv", who="Cy").new == 2
    assert {one.item.replace(str(tmp_path), "") for one in project.history(who="Cy")} == {"/items/two/a/1.png", "9.png"}


def test_label_studio_is_told_files_below_the_folder_that_holds_the_items(tmp_path: Path) -> None:
    """It serves only what lies in a folder below its document root, so that the root is one above the items."""
    project = begun(tmp_path / "my items", tmp_path / "p")
    done = export_labels(project, tmp_path / "out", Exporting(format="label-studio"))
    tasks = json.loads((tmp_path / "out" / "image.json").read_text())
    assert done.folder == tmp_path
    assert tasks[0]["data"]["image"] == "/data/local-files/?d=my%20items/one/3.png"
    assert (
        "holds it is LABEL_STUDIO_LOCAL_FILES_DOCUMENT_ROOT"
        in json.loads((tmp_path / "out" / "textanchor.json").read_text())["files"]
    )
    serving = Serving(prefix="https://files.example/", root=tmp_path / "my items" / "one")
    export_labels(project, tmp_path / "other", Exporting(format="label-studio", serving=serving))
    tasks = json.loads((tmp_path / "other" / "image.json").read_text())
    assert tasks[0]["data"]["image"] == "https://files.example/3.png"
