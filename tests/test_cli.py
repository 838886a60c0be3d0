"""The command line as a user meets it: results, streams, exit codes, and one line for whatever is wrong."""

from __future__ import annotations

import inspect
import json
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import click
import pytest

from conftest import picture, write_shapes
from textanchor.progress import Terminal
from textanchor.runtime import Limits, Runtime

Run = Callable[..., Any]


def fails(done: Any, match: str, code: int = 2) -> None:
    """One line on stderr that says it, nothing on stdout, the right exit code."""
    assert done.exit_code == code, done.stderr
    last = done.stderr.strip().splitlines()[-1]
    assert match in last, last
    assert last.startswith(("error: ", "Error: "))


def test_fit_search_evaluate(run: Run, tmp_path: Path) -> None:
    folder, space = write_shapes(tmp_path / "pairs"), tmp_path / "space"
    fitted = run("fit", folder, "-o", space)
    assert fitted.exit_code == 0, fitted.stderr
    assert "image: 48 pairs, 48 items, 4 distinct texts" in fitted.stdout
    assert "      12  circle" in fitted.stdout
    assert "split: by group and content, seed 0" in fitted.stdout
    assert "validation scores: ridge" in fitted.stdout
    assert "\r" not in fitted.stderr, "no bar without a terminal"

    found = run("search", space, "circle", "--in", folder, "--modality", "audio", "-k", 3, "--json")
    hits = json.loads(found.stdout)
    assert [hit["rank"] for hit in hits] == [1, 2, 3]
    assert all("/circle/" in hit["item"] and Path(hit["path"]).is_file() for hit in hits)
    by_file = run("search", space, folder / "image" / "cross" / "02.png", "--in", folder, "--modality", "text", "-k", 1)
    assert by_file.stdout.split()[:6] == ["rank", "score", "p", "above", "modality", "item"]
    assert by_file.stdout.split()[-2:] == ["text", "cross"]

    judged = run("evaluate", space, folder, "-o", tmp_path / "report")
    assert judged.exit_code == 0, judged.stderr
    assert "held-out" in judged.stdout
    assert (tmp_path / "report" / "report.html").is_file()
    as_json = run("evaluate", space, folder, "--json", "--no-probes")
    assert {row["split"] for row in json.loads(as_json.stdout)["alignment"]} == {"held-out"}
    labelled = run("evaluate", space, folder, "--json", "--no-probes", "--include-train")
    assert "on training data (no evidence)" in labelled.stdout
    fails(run("evaluate", space, folder, "-o", tmp_path / "report"), "exists already; name another place or add --overwrite")
    assert run("evaluate", space, folder, "-o", tmp_path / "report", "--no-probes", "--overwrite").exit_code == 0


def test_into_adds_a_modality(run: Run, tmp_path: Path) -> None:
    folder, space = write_shapes(tmp_path / "pairs"), tmp_path / "space"
    rows = (folder / "pairs.csv").read_text().splitlines()
    for name in ("image", "audio"):
        (folder / f"{name}s.csv").write_text("\n".join([rows[0], *(row for row in rows if row.startswith(name))]))
    assert run("fit", folder / "images.csv", "-o", space, "--aligner", "ridge").exit_code == 0
    fails(run("search", space, "x", "--in", folder / "audios.csv"), "the space has no modality 'audio'", 1)
    before = (space / "image.safetensors").read_bytes()
    assert run("fit", folder / "audios.csv", "--into", space, "--aligner", "ridge").exit_code == 0
    assert (space / "image.safetensors").read_bytes() == before
    done = run("search", space, folder / "image" / "cross" / "01.png", "--in", folder, "--modality", "audio", "-k", 2, "--json")
    assert all("/cross/" in hit["item"] for hit in json.loads(done.stdout))


def test_two_fits_into_one_space_lose_nothing(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another `fit --into` ends between this one's reading and writing of the space."""
    from textanchor.space import fitting

    folder, space = write_shapes(tmp_path / "pairs"), tmp_path / "space"
    rows = (folder / "pairs.csv").read_text().splitlines()
    for name in ("image", "audio"):
        (folder / f"{name}s.csv").write_text("\n".join([rows[0], *(row for row in rows if row.startswith(name))]))
    texts = tmp_path / "texts.csv"
    texts.write_text(
        "item_text,text\n" + "".join(f"number {number} {word},{word}\n" for number in range(20) for word in "abcd")
    )
    assert run("fit", texts, "-o", space, "--aligner", "ridge").exit_code == 0
    fit = fitting.fit

    def meanwhile(*given: Any, **how: Any) -> Any:
        monkeypatch.setattr(fitting, "fit", fit)
        assert run("fit", folder / "images.csv", "--into", space, "--aligner", "ridge").exit_code == 0
        return fit(*given, **how)

    monkeypatch.setattr(fitting, "fit", meanwhile)
    done = run("fit", folder / "audios.csv", "--into", space, "--aligner", "ridge")
    assert done.exit_code == 0, done.stderr
    import textanchor

    loaded = textanchor.load(space)
    assert set(loaded.modalities) == {"document", "image", "audio"}
    assert [story.source for story in loaded.stories] == ["texts.csv", "images.csv", "audios.csv"]
    assert loaded.seen.contents.keys() >= {*textanchor.load(space).seen.contents}


def test_what_has_no_partner_is_counted(run: Run, tmp_path: Path) -> None:
    folder = write_shapes(tmp_path / "pairs", sounds=False)
    rows = (folder / "pairs.csv").read_text().splitlines()
    shapes_, lone = rows[:41], [row.replace(f",{row.split(',')[1]},", ",,") for row in rows[41:]]
    (folder / "pairs.csv").write_text("\n".join([*shapes_, *lone, ",an oval,g", ",a star,h"]))
    done = run("fit", folder, "-o", tmp_path / "space", "--aligner", "ridge")
    assert done.exit_code == 0, done.stderr
    assert "image: 40 pairs, 40 items, 4 distinct texts, 8 items without text, 2 texts without item" in done.stdout
    lines = [line.strip() for line in done.stdout.splitlines()]
    counted = {line.split(":")[0]: line for line in lines if line.startswith(("items without", "texts without"))}
    assert sum(int(word) for word in counted["items without text"].replace(",", "").split() if word.isdigit()) == 8
    assert sum(int(word) for word in counted["texts without item"].replace(",", "").split() if word.isdigit()) == 2


def test_a_sentence_and_a_file_of_one_name(run: Run, saved: Path, shapes: Path, tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.chdir(tmp_path)
    picture("stripes", 3).save("circle.png")
    shutil.move("circle.png", "circle")
    options = ("--in", shapes, "--modality", "audio", "-k", 1, "--json")
    as_file = run("search", saved, "circle", *options, "--query-modality", "image")
    assert "/stripes/" in json.loads(as_file.stdout)[0]["item"]
    as_text = run("search", saved, "circle", *options, "--text")
    assert "/circle/" in json.loads(as_text.stdout)[0]["item"]
    fails(run("search", saved, "cross", *options, "--file"), "no file cross; without --file it is searched as a sentence")
    mistyped = run("search", saved, "cricle.png", *options)
    assert "no file cricle.png: it is searched as a sentence" in mistyped.stderr
    fails(run("search", saved, " ", *options), "the query is empty")
    fails(run("search", saved, "circle", *options), "unknown kind of file")
    assert run("search", saved, "a very long sentence " * 50, *options).exit_code == 0


def broken(folder: Path) -> Path:
    """The shapes with one of each kind of bad file or row."""
    write_shapes(folder, each=10)
    rows = (folder / "pairs.csv").read_text().splitlines()
    raw = (folder / "image" / "circle" / "00.png").read_bytes()
    (folder / "image" / "circle" / "00.png").write_bytes(raw[: len(raw) // 2])
    raw = (folder / "audio" / "cross" / "00.wav").read_bytes()
    (folder / "audio" / "cross" / "00.wav").write_bytes(raw[: len(raw) // 2])
    (folder / "image" / "square" / "00.png").write_text("this is a text")
    (folder / "image" / "square" / "01.png").unlink()
    rows += ["image/cross/03.png,cross,image cross 1", "image/cross/04.png,,image cross 2"]
    (folder / "pairs.csv").write_text("\n".join(rows))
    return folder


def test_bad_files_and_rows_are_counted_and_named(run: Run, tmp_path: Path) -> None:
    folder = broken(tmp_path / "pairs")
    done = run("fit", folder, "-o", tmp_path / "space", "--aligner", "ridge", "--fractions", "0.9,0.1,0")
    assert done.exit_code == 0, done.stderr
    assert "6 skipped:" in done.stderr
    for expected in (
        "image/circle/00.png: damaged image",
        "audio/cross/00.wav: truncated WAV",
        "image/square/00.png: not an image of a format that is read",
        "pairs.csv:13 image/square/01.png: no such file",
        "image/cross/03.png: duplicate of an earlier row",
        "image/cross/04.png: no text, and another row of the same item has one",
    ):
        assert expected in done.stderr, expected
    fails(run("fit", folder, "-o", tmp_path / "other", "--strict"), "no such file: image/square/01.png")
    assert not (tmp_path / "other").exists()


def test_wrong_input_is_one_line(run: Run, saved: Path, shapes: Path, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    out = ("-o", tmp_path / "out")
    fails(run("fit", tmp_path / "gone", *out), "does not exist; expected a folder or a table")
    fails(run("fit", empty, *out), "holds no pair; expected rows, or files with a known ending", 1)
    fails(run("fit", shapes), "say where the space goes")
    fails(run("fit", shapes, *out, "--encoder", "image=hubb:x"), "no encoder is called 'hubb'; did you mean 'hub'?")
    fails(run("fit", shapes, *out, "--encoder", "image"), "is not of the form image=hub:<model>")
    fails(run("fit", shapes, *out, "--aligner", "rigde"), "no aligner is called 'rigde'; did you mean 'ridge'?")
    fails(run("fit", shapes, *out, "--fractions", "1,2"), "must be three numbers")
    fails(run("fit", shapes, *out, "--fractions", "a,b,c"), "is not three numbers")
    fails(run("fit", shapes, *out, "--anchor", "nobody/none"), "hf download nobody/none")
    fails(run("fit", shapes, "-o", saved), "exists already; name another place or add --overwrite")
    fails(run("search", empty, "x", "--in", shapes), "is no space: it has no space.json")
    fails(run("search", saved, "x", "--in", tmp_path / "gone"), "does not exist")
    fails(run("search", saved, "x", "--in", empty), "holds no item", 1)
    fails(run("search", saved, "x", "--in", shapes, "--modality", "smell"), "the space has no modality 'smell'")
    fails(run("evaluate", saved, empty), "holds no pair", 1)
    fails(run("samples", "nothing"), "no sample is called 'nothing'")
    fails(run("samples", "mnist-fsdd", "-o", tmp_path / "m"), "needs --root")
    assert run("nonsense").exit_code == 2
    assert not (tmp_path / "out").exists()
    facts = json.loads((saved / "space.json").read_text())
    newer = shutil.copytree(saved, tmp_path / "newer")
    (newer / "space.json").write_text(json.dumps({**facts, "version": 4}))
    fails(run("search", newer, "x", "--in", shapes), "has format version 4, this textanchor reads up to 3; upgrade")
    (newer / "space.json").write_text("{")
    fails(run("search", newer, "x", "--in", shapes), "is not readable JSON")


def test_too_little_data_is_said_with_counts(run: Run, tmp_path: Path) -> None:
    folder = write_shapes(tmp_path / "pairs", each=4, sounds=False)
    rows = (folder / "pairs.csv").read_text().splitlines()
    one = [rows[0], *(row for row in rows if "circle" in row)]
    (folder / "pairs.csv").write_text("\n".join(one))
    fails(run("fit", folder, "-o", tmp_path / "out"), "image: 1 distinct text in 4 pairs; at least 2 are needed")
    grouped = [rows[0], *(f"{row.rsplit(',', 1)[0]},{'ab'[k % 2]}" for k, row in enumerate(rows[1:]))]
    (folder / "pairs.csv").write_text("\n".join(grouped))
    fails(run("fit", folder, "-o", tmp_path / "out"), "16 items in 2 independent groups cannot be split into 3 sides")


def test_samples_are_listed(run: Run) -> None:
    assert run("samples").stdout.split() == ["digits", "mnist-fsdd"]


def test_somebody_elses_folder_is_never_replaced(run: Run, shapes: Path, tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("three years of work")
    fails(run("fit", shapes, "-o", tmp_path, "--aligner", "ridge", "--overwrite"), "holds no space.json, so it is not ours")
    assert (tmp_path / "thesis.txt").exists()


@pytest.mark.parametrize("option", ["-h", "--help"])
def test_help_lists_every_command(run: Run, option: str) -> None:
    from textanchor import registry

    done = run(option)
    assert done.exit_code == 0
    for name in registry.names("command"):
        assert f"  {name} " in done.stdout


def test_version(run: Run) -> None:
    import textanchor

    assert run("--version").stdout.strip() == f"textanchor, version {textanchor.__version__}"


def test_a_command_of_another_package_joins(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from textanchor import registry

    (tmp_path / "greeting.py").write_text(
        "import click\nfrom textanchor.cli import options\n\n@click.command()\n@options.runtime\n"
        "def command(runtime):\n    'Greet.'\n    click.echo(f'hello from {runtime.workers}')\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    point = EntryPoint(name="greet", value="greeting:command", group="textanchor.command")
    monkeypatch.setattr(registry, "entry_points", lambda group: [point] if group == point.group else [])
    registry._foreign.cache_clear()
    try:
        listed = run("--help").stdout
        assert "  greet " in listed
        assert "greeting" not in sys.modules, "a command of another package is not loaded for the list"
        assert run("greet", "--workers", 3).stdout == "hello from 3\n"
        assert "Greet." in run("greet", "--help").stdout
    finally:
        registry._foreign.cache_clear()


def commands() -> Iterator[tuple[str, click.Command]]:
    """Every command and the commands within."""
    from textanchor.cli import main

    context = click.Context(main)
    for name in main.list_commands(context):
        command = main.get_command(context, name)
        assert command is not None
        within = command.commands if isinstance(command, click.Group) else {"": command}
        yield from ((f"{name} {inner}".strip(), one) for inner, one in within.items())


def test_options_reach_commands_as_records() -> None:
    for name, command in commands():
        assert command.callback is not None
        parameters = inspect.signature(command.callback).parameters
        assert len(parameters) <= 11, f"{name}: {', '.join(parameters)}"
        given = {parameter.name for parameter in command.params}
        assert ("device" in given) <= ("runtime" in parameters), name
        assert ("split_name" in given) <= ("splitting" in parameters), name


def test_a_command_sets_no_environment_variable(run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from textanchor import collections
    from textanchor.errors import NothingUsableError

    asked = []

    def note(*_given: Any, runtime: Runtime, **_how: Any) -> None:
        asked.append(runtime)
        assert os.environ == before
        raise NothingUsableError("enough")

    monkeypatch.setattr(collections, "encode_collection", note)
    before = dict(os.environ)
    said = (
        "--max-pixels",
        5,
        "--max-seconds",
        6,
        "--max-numbers",
        7,
        "--workers",
        2,
        "--offline",
        "--engine",
        "ray",
        "--strict",
    )
    assert run("encode", tmp_path, *said, "--device", "cpu", "--cache", tmp_path / "cache").exit_code == 1
    (runtime,) = asked
    assert runtime.limits == Limits(pixels=5, seconds=6, numbers=7)
    assert (runtime.workers, runtime.offline, runtime.engine, runtime.strict) == (2, True, "ray", True)
    assert (runtime.device, runtime.cache, runtime.progress) == ("cpu", tmp_path / "cache", Terminal())
    monkeypatch.setenv("TEXTANCHOR_MAX_SECONDS", "77")
    before = dict(os.environ)
    assert run("encode", tmp_path).exit_code == 1
    assert asked[-1].limits.seconds == 77
    assert not asked[-1].strict
