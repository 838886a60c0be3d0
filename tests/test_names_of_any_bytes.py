"""Names and texts of any bytes and characters end no run, and nothing in them reaches a terminal as a command."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

import textanchor
from conftest import CLASSES, picture
from textanchor.cli.guarding import Guarded
from textanchor.data.pairs import read_collection, read_pairs, write_pairs
from textanchor.errors import InputError
from textanchor.escaping import in_json, legible, openable, shown, writable
from textanchor.files import digest, new_folder, read_json, write_json
from textanchor.records import Item, Pair, Skipped

Run = Callable[..., Any]
LATIN = "caf\udce9"  # café in Latin-1, as Python names such a file
ODD = (b"caf\xe9.png", b"\xff\xfe.png", b"a\n   1  0.999  image     forged.png", b"b\x1b[31m.png", b"c\r\x07\x08.png",
       "tab\t\x7f\x9b.png".encode(), "\u202egnp.exe.png".encode(), "größe 猫 👩‍👩‍👧.png".encode(), b"-.png",
       b" .png")  # fmt: skip


def command(*arguments: Any, **settings: Any) -> subprocess.CompletedProcess[bytes]:
    """The command line as a process of its own: names as bytes, and what it writes to real streams."""
    code = "from textanchor.cli import main; main()"
    return subprocess.run(
        [sys.executable, "-c", code, *map(os.fsencode, map(as_name, arguments))], capture_output=True, **settings
    )


def as_name(argument: Any) -> str:
    return os.fsdecode(argument) if isinstance(argument, bytes) else str(argument)


@pytest.fixture(scope="module")
def odd(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folders of classes and files with all sorts of names, in a folder whose name is no UTF-8."""
    root = Path(os.fsdecode(os.fsencode(tmp_path_factory.mktemp("odd")) + b"/an\xe9\x1b[2J"))
    for kind, name in zip(CLASSES, (LATIN, "größe", "a\x1bb", "stripes"), strict=True):
        (root / "pairs" / name).mkdir(parents=True)
        for seed, file in enumerate(ODD):
            picture(kind, seed).save(root / "pairs" / name / os.fsdecode(file))
    return root


@pytest.fixture(scope="module")
def fitted(odd: Path) -> Path:
    done = command("fit", odd / "pairs", "-o", odd / "sp\udce9ce", "--aligner", "ridge", "--cache", odd / "cache")
    assert done.returncode == 0, done.stderr
    quiet(done)
    assert b"caf\xc3\xa9\n" in done.stdout, "a class named in Latin-1 is read so"
    assert b"an\\xe9\\x1b[2J" in done.stdout
    return odd / "sp\udce9ce"


def quiet(done: subprocess.CompletedProcess[bytes]) -> None:
    """No control character but line breaks, no turn of direction; all of it UTF-8; no traceback."""
    for told in (done.stdout, done.stderr):
        text = told.decode()
        assert "Traceback" not in text, text
        assert all(character == "\n" or shown(character) == character for character in text), text


def test_every_command_takes_every_name(odd: Path, fitted: Path, tmp_path: Path) -> None:
    cache = ("--cache", odd / "cache")
    for arguments in (
        ("search", fitted, os.fsdecode(b"caf\xe9"), "--in", odd / "pairs"),
        ("search", fitted, "circle", "--in", odd / "pairs", "--json"),
        ("search", fitted, odd / "pairs" / LATIN / os.fsdecode(ODD[3]), "--in", odd / "pairs"),
        ("evaluate", fitted, odd / "pairs", "-o", odd / "rep\udce9rt", "--include-train"),
        ("evaluate", fitted, odd / "pairs", "--json"),
        ("doctor", odd / "pairs", "--merged", odd / "m\udce9.csv"),
        ("doctor", odd / "pairs", "--json"),
        ("embed", odd / "pairs", "--space", fitted, "-o", odd / "v\udce9.parquet"),
        ("encode", odd / "pairs", "-o", odd / "l\udce9tents", "--json"),
        ("cache", "ls"),
        ("cache", "verify"),
        ("cache", "size"),
        ("fit", odd / "m\udce9.csv", "--into", fitted, "-o", odd / "sp2", "--aligner", "ridge"),
    ):
        done = command(*arguments, *cache)
        assert done.returncode == 0, (arguments, done.stderr)
        quiet(done)
        if "--json" in arguments:
            json.loads(done.stdout)
    assert command("cache", "verify", *cache).stdout.strip().endswith(b"0 were damaged")
    page = (odd / "rep\udce9rt" / "report.html").read_text(encoding="utf-8")
    assert "café" in page
    read_json(odd / "rep\udce9rt" / "metrics.json")


def test_each_hit_is_one_line_that_shows_its_name(odd: Path, fitted: Path) -> None:
    done = command("search", fitted, "circle", "--in", odd / "pairs", "-k", "40", "--cache", odd / "cache")
    lines = done.stdout.decode().splitlines()
    assert len(lines) == 41
    text = "\n".join(lines)
    for name in (
        "\\xe9.png",
        "\\xff\\xfe.png",
        "a\\n   1  0.999",
        "b\\x1b[31m.png",
        "c\\r\\x07\\x08.png",
        "tab\\t\\x7f\\x9b",
        "\\u202egnp",
        "größe 猫 👩‍👩‍👧.png",
    ):
        assert text.count(name) == 4, name


def test_names_stand_in_parquet_files_as_utf8_can_hold_them(odd: Path, fitted: Path) -> None:
    done = command("embed", odd / "pairs", "--space", fitted, "-o", odd / "w.parquet", "--cache", odd / "cache")
    assert b"file names are no UTF-8 and stand escaped in the column `path`, such as " in done.stderr
    with (odd / "w.parquet").open("rb") as stream:
        table = pq.read_table(stream)
    assert table.num_rows == 40
    named = dict(zip(table["item"].to_pylist(), table["path"].to_pylist(), strict=True))
    assert named["stripes/b\x1b[31m.png"] == "pairs/stripes/b\x1b[31m.png"
    assert named["caf\\xe9/caf\\xe9.png"] == "pairs/caf\\xe9/caf\\xe9.png"
    items, skipped = read_collection(odd / "w.parquet")
    assert len(items) == 40, skipped
    assert all(item.path is not None and item.path.is_file() for item in items), "and are found again"


def test_errors_and_wrong_usage_are_one_line(tmp_path: Path) -> None:
    for arguments in (
        ("fit", "no\x1b[31m\nsuch\udce9", "-o", tmp_path / "s"),
        ("fit", tmp_path, "-o", tmp_path / "s", "--template", "x\x1b\ny"),
    ):
        done = command(*arguments, "--cache", tmp_path / "c")
        assert done.returncode == 2
        quiet(done)
        (line,) = [line for line in done.stderr.splitlines() if line.lower().startswith(b"error")]
        assert b"\\x1b" in line
        assert b"\\n" in line


def test_damaged_files_with_such_names_are_named(odd: Path, fitted: Path, tmp_path: Path) -> None:
    for name in ODD:
        (tmp_path / os.fsdecode(name)).write_bytes(b"no picture")
    picture("circle", 0).save(tmp_path / "good.png")
    done = command("embed", tmp_path, "--space", fitted, "-o", tmp_path / "v.parquet", "--cache", odd / "cache")
    assert done.returncode == 0
    quiet(done)
    assert done.stderr.decode().splitlines()[0] == "10 skipped:"
    assert sum(line.startswith(b"  ") and b"not an image" in line for line in done.stderr.splitlines()) == 10


@pytest.mark.parametrize("coding", ["ascii", "cp1252", "utf-8"])
def test_a_screen_that_lacks_letters_shows_their_escapes(odd: Path, fitted: Path, coding: str) -> None:
    done = command(
        "search",
        fitted,
        "circle",
        "--in",
        odd / "pairs",
        "-k",
        "40",
        "--cache",
        odd / "cache",
        env={**os.environ, "PYTHONIOENCODING": coding},
    )
    assert done.returncode == 0, done.stderr
    assert ("猫".encode() if coding == "utf-8" else b"\\u732b") in done.stdout


def write_lines(path: Path, rows: list[dict[str, str]]) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


def test_lone_surrogates_in_cells_end_no_run(tmp_path: Path, run: Run) -> None:
    rows = []
    for kind, text in zip(CLASSES[:2], ("a \ud83d half", "caf\udce9"), strict=True):
        for seed in range(6):
            picture(kind, seed).save(tmp_path / f"{kind}{seed}.png")
            rows.append(
                {"path": f"{kind}{seed}.png", "text": text, "group": f"g\udcff{kind}{seed}", "item": f"{kind}\ud800{seed}"}
            )
    rows += [{"path": "gone\udce9.png", "text": "x"}, {"path": "nul\0.png", "text": "x"}, {"path": "x" * 5000, "text": "x"}]
    write_lines(tmp_path / "pairs.jsonl", rows)
    done = run("fit", tmp_path / "pairs.jsonl", "-o", tmp_path / "space", "--aligner", "ridge", "--allow-lost", "0.5")
    assert done.exit_code == 0, done.stderr
    assert "a \ufffd half" in done.stdout
    assert "café" in done.stdout
    assert "3 skipped" in done.stderr
    assert "gone\\xe9.png" in done.stderr
    for arguments in (
        ("doctor", tmp_path / "pairs.jsonl"),
        ("evaluate", tmp_path / "space", tmp_path / "pairs.jsonl", "-o", tmp_path / "report", "--include-train"),
    ):
        done = run(*arguments, "--allow-lost", "0.5")
        assert done.exit_code == 0, done.stderr
    table = tmp_path / "again.csv"
    write_pairs(read_pairs(tmp_path / "pairs.jsonl", allow_lost=0.5), table)
    assert {pair.text for pair in read_pairs(table).rows} == {"a \ufffd half", "café"}


def test_documents_and_queries_with_lone_surrogates(tmp_path: Path, run: Run) -> None:
    rows = [{"item_text": f"{kind} \ud83d {seed}", "text": kind} for kind in ("sad\udce9", "glad") for seed in range(6)]
    write_lines(tmp_path / "pairs.jsonl", rows)
    done = run("fit", tmp_path / "pairs.jsonl", "-o", tmp_path / "space", "--aligner", "ridge")
    assert done.exit_code == 0, done.stderr
    found = run("search", tmp_path / "space", "glad \ud83d", "--in", tmp_path / "pairs.jsonl", "--json")
    assert found.exit_code == 0, found.stderr
    assert len(json.loads(found.stdout)) == 10
    space = textanchor.load(tmp_path / "space")
    assert np.isfinite(space.embed(["x\udce9", "y\ud83d"])).all()


def test_terminal_commands_in_texts_are_shown(tmp_path: Path, run: Run) -> None:
    with (tmp_path / "pairs.csv").open("w", newline="") as stream:
        table = csv.writer(stream)
        table.writerow(["item_text", "text"])
        for seed in range(8):
            table.writerow([f"\x1b]0;owned\x07 {seed}", ("bell\x07 \x1b[2J", "quiet")[seed % 2]])
    done = run("fit", tmp_path / "pairs.csv", "-o", tmp_path / "space", "--aligner", "ridge")
    assert "bell\\x07 \\x1b[2J" in done.stdout
    found = run("search", tmp_path / "space", "quiet", "--in", tmp_path / "pairs.csv", "--modality", "document")
    assert "\\x1b]0;owned\\x07" in found.stdout
    for text in (done.stdout, done.stderr, found.stdout):
        assert not set("\x1b\x07") & set(text)


def test_progress_may_go_back_and_names_may_not() -> None:
    class Screen:
        encoding, written = "ascii", ""

        def write(self, text: str) -> int:
            self.written += text
            return len(text)

    screen = Screen()
    guarded = Guarded(screen)
    assert guarded.write("\rencode: 50%") == 12
    guarded.write("\n\x1b[A")
    guarded.write("\x1b[A")
    guarded.write("a\rb\tc\x1b[Aé\n")
    assert screen.written == "\rencode: 50%\n\\x1b[A\x1b[Aa\\rb\tc\\x1b[A\\xe9\n"
    with pytest.raises(TypeError):
        guarded.write(b"raw")  # type: ignore[arg-type]


def test_what_utf8_can_hold() -> None:
    assert writable("größe 猫") == legible("größe 猫") == "größe 猫"
    assert writable(LATIN + "\ud83d") == "caf\\xe9\\ud83d"
    assert legible(LATIN + "\ud83d") == "café\ufffd"
    assert shown("a\nb\u2028\x85 \ufeffü👩‍👧") == "a\\nb\\u2028\\x85 \\ufeffü👩‍👧"
    assert json.loads(in_json(json.dumps(["\x9b\u202e\udce9"], ensure_ascii=False))) == ["\x9b\u202e\udce9"]
    item = Item(id=LATIN, modality="text", value=LATIN, path=None)
    assert (item.id, item.value, Pair(item=item, text=LATIN, group=LATIN).text) == ("caf\\xe9", "café", "café")
    assert Skipped(item=LATIN, reason=f"no {LATIN}").reason == "no caf\\xe9"
    assert digest(LATIN) != digest("caf\\xe9")


def test_json_of_ours_keeps_lone_surrogates(tmp_path: Path) -> None:
    place = tmp_path / LATIN
    write_json(place, {"name": LATIN})
    assert read_json(place) == {"name": LATIN}
    with openable(place) as name, open(name, "rb") as stream:
        name.encode()
        assert stream.read() == place.read_bytes()


@pytest.mark.parametrize("place", ["same folder", "below", "elsewhere", "here"])
def test_paths_in_an_embedded_collection_are_found_from_anywhere(
    place: str, saved: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "photos").mkdir()
    for seed in range(3):
        picture("cross", seed).save(tmp_path / "photos" / f"{seed}.png")
    output = {"same folder": "photos/v.parquet", "below": "v.parquet", "elsewhere": "out/v.parquet", "here": "v.parquet"}[place]
    monkeypatch.chdir(tmp_path / "photos" if place == "here" else tmp_path)
    source = "." if place == "here" else "../" + tmp_path.name + "/photos"
    textanchor.embed_collection(textanchor.load(saved), source, output)
    table = Path(output).resolve()
    monkeypatch.chdir("/")
    told = pq.read_table(table)["path"].to_pylist()
    assert all((table.parent / path).is_file() and ".." not in Path(path).parts for path in told)
    assert all(Path(path).is_absolute() == (place == "elsewhere") for path in told)
    items, skipped = read_collection(table)
    assert len(items) == 3
    assert not skipped
    if place != "elsewhere":
        moved = tmp_path.rename(tmp_path.with_name("moved " + tmp_path.name))
        assert len(read_collection(moved / table.relative_to(tmp_path))[0]) == 3


FOREIGN = ["[1, 2]", "{not json", "", '"text"', "null", '{"split_name": "mine"}', '{"split_name": 3, "name": 1}', "\ud800"]


@pytest.mark.parametrize("content", FOREIGN)
@pytest.mark.parametrize("name", ["about.json", "space.json", "metrics.json", "seen.json", "encoder.json"])
def test_a_file_with_a_name_of_ours_is_the_users(name: str, content: str, tmp_path: Path) -> None:
    for kind in CLASSES[:2]:
        (tmp_path / kind).mkdir()
        for seed in range(3):
            picture(kind, seed).save(tmp_path / kind / f"{seed}.png")
    (tmp_path / name).write_bytes(content.encode("utf-8", "surrogatepass"))
    pairs = read_pairs(tmp_path)
    assert len(pairs.rows) == 6
    assert pairs.split_name is None


@pytest.mark.parametrize(
    ("marker", "sign"), [("space.json", "textanchor-space"), ("metrics.json", '"emergent"'), ("about.json", '"sources": [')]
)
def test_a_folder_with_a_file_of_such_a_name_is_not_replaced(marker: str, sign: str, tmp_path: Path) -> None:
    (tmp_path / marker).write_text('{"mine": true}')
    with (
        pytest.raises(InputError, match=f"holds a {marker} that somebody else wrote, so it is not ours to replace"),
        new_folder(tmp_path, overwrite=True, marker=marker, sign=sign),
    ):
        pass
    assert (tmp_path / marker).read_text() == '{"mine": true}'


def test_overwriting_spares_a_table_of_the_users(tmp_path: Path, run: Run, shapes: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "about.json").write_text("{}")
    done = run("samples", "digits", "-o", tmp_path / "mine", "--overwrite")
    assert done.exit_code == 2
    assert "somebody else wrote" in done.stderr
    (tmp_path / "mine" / "space.json").write_text("{}")
    done = run("fit", shapes, "-o", tmp_path / "mine", "--overwrite", "--aligner", "ridge")
    assert done.exit_code == 2
    assert (tmp_path / "mine" / "about.json").read_text() == "{}"
