"""`textanchor label` as a user meets it."""

from __future__ import annotations

import csv
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from conftest import picture
from test_cli import fails
from textanchor.labelling.project import Project

Run = Callable[..., Any]
SHAPES = ("circle", "cross", "square", "stripes")


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A hundred and twenty pictures of four shapes, named by number alone, and a table that says which is which."""
    folder = tmp_path_factory.mktemp("photos")
    rows = [("file_name", "shape", "source")]
    for place in range(120):
        shape = SHAPES[place % 4]
        picture(shape, place).save(folder / f"{place:03d}.png")
        rows.append((f"{place:03d}.png", shape, f"camera {place % 7}"))
    with (folder.parent / f"{folder.name}.csv").open("w", newline="") as file:
        csv.writer(file).writerows(rows)
    return folder


@pytest.fixture
def begun(run: Run, photos: Path, tmp_path: Path) -> Path:
    """A project of them, with the classes' names."""
    file = tmp_path / "shapes.label"
    done = run("label", "start", file, photos, "--encoder", "image=signal", *[f"--class={one}" for one in SHAPES])
    assert done.exit_code == 0, done.stderr
    return file


def truth(name: str) -> str:
    return SHAPES[int(name.split(".")[0]) % 4]


def told(run: Run, *arguments: object) -> Any:
    done = run("label", *arguments, "--json")
    assert done.exit_code == 0, done.stderr
    return json.loads(done.stdout)


def test_a_person_labels_few_and_the_machine_the_rest(run: Run, begun: Path, tmp_path: Path) -> None:
    asked = run("label", "next", begun, "--count", 40, "--who", "Ada")
    lines = [line.split("\t") for line in asked.stdout.splitlines()]
    assert len(lines) == 40
    assert all(Path(path).is_file() and Path(path).name == name for name, path in lines)
    done = run("label", "decide", begun, *[f"{name}={truth(name)}" for name, _ in lines], "--who", "Ada")
    assert "40 decisions written; 40 of 120 labelled by people, 80 open" in done.stdout
    asked_again = told(run, "next", begun, "--count", 20, "--who", "Ada")
    table = tmp_path / "d.csv"
    table.write_text("item,label\n" + "".join(f"{one['item']},{truth(one['item'])}\n" for one in asked_again))
    assert told(run, "decide", begun, "--csv", table, "--who", "Ada")["progress"]["drawn"] == 30
    proposed = run("label", "propose", begun, "--level", 0.1)
    assert proposed.exit_code == 0, proposed.stderr
    assert "which was right of" in proposed.stdout
    assert "may be labelled without a look: at most 0.1 of them wrong" in proposed.stdout
    assert f"textanchor label accept {begun}" in proposed.stderr
    certificate = tmp_path / "c.json"
    assert run("label", "propose", begun, "--level", 0.1, "-o", certificate).exit_code == 0
    checked = run("label", "verify", certificate)
    assert "the decision follows from what the certificate says" in checked.stdout
    broken = tmp_path / "broken.json"
    broken.write_text(certificate.read_text().replace('"level": 0.1', '"level": 0.01'))
    assert run("label", "verify", broken).exit_code == 1
    broken.write_text("{}")
    fails(run("label", "verify", broken), "broken.json")
    taken = told(run, "accept", begun, "--who", "Ada")
    assert taken["taken"] > 20
    machine = told(run, "list", begun, "--status", "machine")
    assert len(machine) == taken["taken"]
    assert sum(one["classes"] != [truth(one["item"])] for one in machine) <= 0.2 * len(machine)
    for one in told(run, "next", begun, "--stream", "audit", "--count", 10, "--who", "Bob"):
        assert run("label", "decide", begun, f"{one['item']}={truth(one['item'])}", "--who", "Bob").exit_code == 0
    audit = told(run, "audit", begun)
    assert audit["shown"] == 10
    assert "10 of" in run("label", "audit", begun).stdout
    assert run("label", "report", begun, "-o", tmp_path / "r.html").exit_code == 0
    page = (tmp_path / "r.html").read_text()
    assert "labelled by the machine" in page
    assert "http" not in page.replace("http-equiv", "").replace("http://www.w3.org", "")
    assert told(run, "report", begun, "-o", tmp_path / "s.html")["audit"]["shown"] == 10
    info = run("label", "info", begun)
    assert "people: 70 labelled (30 drawn at random)" in info.stdout
    back = told(run, "undo", begun, "--who", "Ada")
    assert len(back) == taken["taken"]
    assert run("label", "undo", begun, "--who", "Nobody").stdout.strip() == "nothing of Nobody is left to take back"
    history = told(run, "history", begun, "--by", "Bob")
    assert {one["how"] for one in history} == {"audit"}


def test_labels_that_are_known_come_from_a_column_and_are_replayed(run: Run, photos: Path, tmp_path: Path) -> None:
    table = photos.parent / f"{photos.name}.csv"
    file = tmp_path / "p.label"
    done = run(
        "label", "start", file, table, "--root", photos, "--labels", "Shape", "--group", "source", "--encoder", "image=signal"
    )
    assert done.exit_code == 0, done.stderr
    assert "people: 120 labelled (0 drawn at random)" in done.stdout
    with Project(file) as project:
        assert [one.key for one in project.classes] == list(SHAPES)
        assert len(set(project.pool().groups.tolist())) == 7
        assert not project.labelled().drawn.any()
    found = told(run, "simulate", file, "--seeds", 1, "--proposer", "logistic", "-o", tmp_path / "s.html")
    assert {row["strategy"] for row in found["rows"]} == {"random", "spread-then-margin"}
    assert (tmp_path / "s.html").read_text().count("<svg") == 1
    fails(
        run("label", "start", tmp_path / "q", table, "--root", photos, "--labels", "shap", "--encoder", "image=signal"),
        "no item has a column 'shap'; did you mean 'shape'?",
    )


def test_labels_from_folders_keep_their_names(run: Run, tmp_path: Path) -> None:
    for name in ("dark_red", "light blue"):
        (tmp_path / "in" / name).mkdir(parents=True)
        for place in range(4):
            picture("circle" if name == "dark_red" else "cross", place).save(tmp_path / "in" / name / f"{place}.png")
    done = run(
        "label",
        "start",
        tmp_path / "p",
        tmp_path / "in",
        "--labels",
        "folder",
        "--encoder",
        "image=signal",
        "--drawn-at-random",
    )
    assert done.exit_code == 0, done.stderr
    rows = told(run, "class", tmp_path / "p")
    assert [(one["class"], one["text"], one["labels"]) for one in rows] == [
        ("dark_red", "dark red", 4),
        ("light blue", "light blue", 4),
    ]
    assert "8 drawn at random" in run("label", "info", tmp_path / "p").stdout


def test_items_of_an_archive_and_of_another_source_later(run: Run, begun: Path, photos: Path, tmp_path: Path) -> None:
    run("label", "decide", begun, "000.png=circle", "--who", "Ada")
    with zipfile.ZipFile(tmp_path / "more.zip", "w") as archive:
        for place in (0, 1):
            archive.write(photos / f"{place:03d}.png", f"{place:03d}.png")
        archive.write(photos / "002.png", "new.png")
    assert told(run, "sync", begun, tmp_path / "more.zip") == {
        "new": 3,
        "gone": 0,
        "changed": 0,
        "unchanged": 120,
        "skipped": 0,
    }
    with Project(begun) as project:
        twin = project.entry(f"{tmp_path / 'more.zip'}/000.png")
        assert twin.content == project.entry("000.png").content
        assert twin.item.value.read()[:4] == b"\x89PNG"
        assert project.entry("000.png").state.classes == ("circle",)
        assert len(project.pool()) == 123
    (tmp_path / "more.zip").unlink()
    fails(run("label", "sync", begun), "does not exist")


def test_bad_input_is_answered_in_one_line(run: Run, begun: Path, photos: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    fails(run("label", "start", begun, photos), "exists already")
    fails(run("label", "start", tmp_path / "p", tmp_path / "empty"), "holds no item", 1)
    fails(run("label", "start", tmp_path / "p", tmp_path / "none"), "does not exist")
    fails(run("label", "start", tmp_path / "p", photos, "--strategy", "best"), "no strategy is called 'best'")
    assert not (tmp_path / "p").exists()
    fails(run("label", "decide", begun, "000.png=circel"), "no class is called 'circel'; did you mean 'circle'?")
    fails(run("label", "decide", begun, "00.png=circle"), "no item '00.png'; did you mean")
    fails(run("label", "decide", begun, "000.png"), "not of the form ITEM=CLASS")
    fails(run("label", "decide", begun, "000.png=circle", "--none", "000.png"), "is decided on twice")
    fails(run("label", "decide", begun), "say what is decided")
    fails(run("label", "propose", begun, "--form", "certain"), "no guarantee is called 'certain'")
    fails(run("label", "propose", begun), "no item is labelled")
    fails(run("label", "accept", begun), "nothing is proposed yet")
    fails(run("label", "simulate", begun), "a replay needs 50")
    fails(run("label", "class", begun, "circle=round"), "there is a class 'circle' already")
    fails(run("label", "set", begun, "drawn=much"), "expected a number")
    fails(run("label", "set", begun, "rule=mine"), "rule=mine: expected last or majority")
    fails(run("label", "history", begun, "--item", "none"), "no item 'none'")
    fails(run("label", "info", tmp_path / "none"), "begin a project: textanchor label start")
    fails(run("label", "export", begun, tmp_path / "out"), "known: csv, parquet, folder, label-studio")
    table = tmp_path / "d.csv"
    table.write_text("item,label\n000.png,circle\n999.png,circle\n")
    fails(
        run("label", "decide", begun, "--csv", table),
        "d.csv:3: no item of the project is called '999.png'; nothing was written",
    )
    assert told(run, "history", begun) == []


def test_settings_classes_and_formats(run: Run, begun: Path, tmp_path: Path) -> None:
    assert told(run, "set", begun, "repeats=0.1", "rule=majority")["repeats"] == 0.1
    assert "rule: majority" in run("label", "set", begun).stdout
    assert told(run, "class", begun, "star=a star with five points")[-1]["text"] == "a star with five points"
    assert told(run, "class", begun, "star=a star", "--describe")[-1]["text"] == "a star"
    run("label", "decide", begun, "000.png=circle", "001.png=cross", "--none", "002.png", "--unsure", "003.png", "--who", "Ada")
    assert run("label", "decide", begun, "004.png=moon", "--add-classes", "--who", "Ada").exit_code == 0
    for output, more in (("l.csv", []), ("l.parquet", []), ("f", ["--format", "folder"]), ("s", ["--format", "label-studio"])):
        done = run("label", "export", begun, tmp_path / output, *more)
        assert done.exit_code == 0, done.stderr
        assert run("label", "import", begun, tmp_path / output).stdout.startswith("0 decisions are new, 5 were there already")
    assert (tmp_path / "f" / "moon" / "004.png").is_file()
    assert (tmp_path / "s" / "image.xml").is_file()
    assert run("label", "next", begun, "--release").stdout.strip() == "given back"
    names = ["004.png", "not one"]
    assert sorted(one["item"] for one in told(run, "list", begun, "--label", "moon")) == names[:1]


def test_what_to_look_at_again(run: Run, begun: Path, tmp_path: Path) -> None:
    few = told(run, "check", begun)
    assert few["suspects"] == []
    assert any("labels are suspected from 20 on" in note for note in few["notes"])
    asked = told(run, "next", begun, "--count", 60, "--who", "Ada")
    wrong = {one["item"] for one in asked[:3]}
    labels = [
        f"{one['item']}={'cross' if one['item'] in wrong and truth(one['item']) != 'cross' else truth(one['item'])}"
        for one in asked
    ]
    wrong = {name for name in wrong if truth(name) != "cross"}
    assert run("label", "decide", begun, *labels, "--who", "Ada").exit_code == 0
    assert run("label", "class", begun, "n02084071", "class_7").exit_code == 0
    found = told(run, "check", begun)
    assert wrong <= {one["item"] for one in found["suspects"]}
    assert [one["class"] for one in found["remarks"]][:2] == ["n02084071", "class 7"]
    shown = run("label", "check", begun)
    assert "labels that are little believed" in shown.stdout
    assert "is a WordNet id" in shown.stdout


def test_agreement_is_reported(run: Run, begun: Path, tmp_path: Path) -> None:
    for place in range(12):
        name = f"{place:03d}.png"
        run("label", "decide", begun, f"{name}={truth(name)}", "--who", "Ada")
        run("label", "decide", begun, f"{name}={truth(name) if place else 'star'}", "--who", "Bob", "--add-classes")
    facts = told(run, "report", begun, "-o", tmp_path / "r.html")["agreement"]
    (couple,) = facts["couples"]
    assert (couple["people"], couple["items"], round(couple["alike"], 3)) == (["Ada", "Bob"], 12, 0.917)
    assert 0.8 < facts["alpha"] < 1
    page = (tmp_path / "r.html").read_text()
    assert "Krippendorff" in page
    assert "Ada and Bob" in page
    assert "People differ" in page
