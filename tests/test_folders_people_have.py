"""Folders as people have them, from the command line: wrapping, sides of a split, classes within classes, captions, links."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

import textanchor
from conftest import picture
from textanchor.data.folders.class_folders import class_folders

Told = Callable[..., str]


@pytest.fixture
def told(run: Callable[..., Result], tmp_path: Path) -> Told:
    """What `fit` says of a source on stdout; a failure, on stderr."""

    def call(source: Path, *options: object, fails: bool = False) -> str:
        place = tmp_path / ".space"
        done = run("fit", source, "-o", place, "--aligner", "ridge", "--overwrite", *options)
        assert (done.exit_code != 0) is fails, done.stderr
        return done.stderr if fails else done.stdout

    return call


def fill(root: Path, *folders: str, each: int = 4) -> Path:
    for place, folder in enumerate(folders):
        (root / folder).mkdir(parents=True, exist_ok=True)
        for number in range(each):
            picture(("circle", "cross")[place % 2], 100 * place + number).save(root / folder / f"{number}.png")
    return root


@pytest.mark.parametrize(
    ("train", "test"),
    [
        ("training_set/{}", "test_set/{}"),
        ("seg_train/seg_train/{}", "seg_test/seg_test/{}"),
        ("data/train/{}", "data/test/{}"),
        ("archive/set/Train/{}", "archive/set/Holdout/{}"),
        ("{}/train", "{}/test"),
        ("train/images/{}", "evaluation/{}"),
        ("training_set/training_set/{}", "test_set/test_set/{}"),
    ],
)
def test_folders_of_a_split_and_wrapping_ones_are_no_classes(tmp_path: Path, told: Told, train: str, test: str) -> None:
    root = fill(tmp_path / "set", *(side.format(name) for side in (train, test) for name in ("cat", "guinea_pig")))
    out = told(root)
    assert "split from the folders" in out
    assert "image: 16 pairs, 16 items, 2 distinct texts" in out
    assert "8  guinea pig" in out
    assert "test 8 items" in out


def test_class_names_that_look_like_sides_stay_classes(tmp_path: Path, told: Told) -> None:
    out = told(fill(tmp_path / "set", "train", "bus", each=6))
    assert "6  train" in out
    assert "split from" not in out


def test_sides_without_classes_or_texts_are_said_to_be_so(tmp_path: Path, told: Told) -> None:
    why = told(fill(tmp_path / "set", "train", "test"), fails=True)
    assert "8 items without a text" in why
    assert "split from the folders `test` (test), `train` (train)" in why


def test_what_lies_beside_the_folders_of_a_split_stops_nothing(tmp_path: Path, told: Told) -> None:
    root = fill(tmp_path / "set", "data/train/cat", "data/train/dog", "data/test/cat", "data/test/dog")
    (root / "README.md").write_text("# About")
    (root / "data" / "notes.txt").write_text("notes")
    (root / "data" / "train" / "cat" / "notes.txt").write_text("these are cats")
    out = told(root)
    assert "image: train 7 items in 7 groups, val 1 items in 1 groups, test 8 items in 8 groups" in out
    assert "document is left out: 1 distinct text on train in 1 pairs" in out


def test_nested_classes(tmp_path: Path, told: Told) -> None:
    root = fill(tmp_path / "set", "animals/cat", "animals/dog", "vehicles/car")
    out = told(root)
    assert "of `animals/cat` the text 'cat' (otherwise: --class-depth)" in out
    assert "3 distinct texts" in out
    assert "8  animals" in told(root, "--class-depth", 1)
    assert "4  vehicles car" in told(root, "--class-depth", 0)
    parts = fill(tmp_path / "parts", "cat/batch1", "cat/batch2", "dog/batch1", "dog/batch2", "dog/2021-03-01")
    assert "12  dog" in told(parts)


@pytest.mark.parametrize("sides", [("",), ("train/", "test/"), ("train/train/", "test/test/")])
def test_folders_that_say_the_medium_are_no_classes(tmp_path: Path, told: Told, sides: tuple[str, ...]) -> None:
    media = [("images", "sounds")] * (len(sides) - 1) + [("photos", "Image Files", "audio")]
    root = fill(
        tmp_path / "set", *(f"{s}{m}/{n}" for s, held in zip(sides, media, strict=True) for m in held for n in ("dog", "cat"))
    )
    pairs = textanchor.read_pairs(root)
    assert {pair.text for pair in pairs.rows} == {"dog", "cat"}
    assert {pair.split or "" for pair in pairs.rows} == {side.partition("/")[0] for side in sides}
    out = told(root)
    assert "texts from the folders' names below `Image Files`, `audio`, " in out
    assert "8  photos" in told(fill(tmp_path / "plain", "photos", "clips", each=8))
    if len(sides) == 1:
        assert "8  photos" in told(root, "--class-depth", 1)


def test_a_side_named_twice_without_classes_has_no_texts(tmp_path: Path) -> None:
    root = fill(tmp_path / "set", "train/train/cat", "train/train/dog", "test/test")
    assert {pair.text for pair in textanchor.read_pairs(root).rows} == {"cat", "dog"}


def test_metadata_at_the_root_over_folders_of_a_split(tmp_path: Path, told: Told) -> None:
    root = fill(tmp_path / "set", "train", "test", each=6)
    lines = [f"{side}/{number}.png,{text}" for side in ("train", "test") for number, text in enumerate(["a", "b", "c"] * 2)]
    (root / "metadata.csv").write_text("\n".join(["file_name,text", *lines]) + "\n")
    out = told(root)
    assert "read split from the folders of the files: test, train" in out
    assert "test 6 items" in out


def test_metadata_two_folders_down(tmp_path: Path, told: Told) -> None:
    root = fill(tmp_path / "set", "data/train", "data/dev", "extra", each=6)
    for side in ("train", "dev"):
        lines = [json.dumps({"file_name": f"{number}.png", "text": f"text {number}"}) for number in range(6)]
        (root / "data" / side / "metadata.jsonl").write_text("\n".join(lines))
    out = told(root)
    assert "read data/train/metadata.jsonl: path from `file_name`, text from `text`; split train" in out
    assert "image: train 6 items in 6 groups, val 6 items in 6 groups" in out
    assert "6 files in folders without a table were not read, such as extra/0.png" in out


def test_tables_named_after_sides_find_their_folders(tmp_path: Path, told: Told) -> None:
    root = fill(tmp_path / "set", "train", "test", each=6)
    for side in ("train", "test"):
        (root / f"{side}.csv").write_text("image,label\n" + "".join(f"{n}.png,{'ab'[n % 2]}\n" for n in range(6)))
    (root / "sample_submission.csv").write_text("id,target\n1,2\n")
    out = told(root)
    assert f"read train.csv: path from `image`, text from `label`; files from {root / 'train'}; split train" in out
    assert "test 6 items" in out


def test_a_table_somewhere_in_the_folder(tmp_path: Path, told: Told) -> None:
    root = fill(tmp_path / "set", "audio", each=6)
    (root / "meta").mkdir()
    (root / "meta" / "all.csv").write_text("filename,fold,category\n" + "".join(f"{n}.png,1,{'ab'[n % 2]}\n" for n in range(6)))
    assert "read meta/all.csv: path from `filename`, text from `category`; not used: `fold`; files from" in told(root)
    (root / "meta" / "all.csv").write_text("id,fold,kind\n" + "".join(f"{n}.png,1,{'ab'[n % 2]}\n" for n in range(6)))
    why = told(root, fails=True)
    assert "1 distinct text in 6 pairs" in why
    assert "meta/all.csv: a table that was not read; name it, with --path-column and --text-column" in why


def test_captions_beside_the_files(tmp_path: Path, told: Told) -> None:
    root = fill(tmp_path / "set", ".", each=8)
    for number in range(8):
        (root / f"{number}.txt").write_text(f"a picture {number % 2}\nan image\n")
    (root / "7.txt").rename(root / "7.png.txt")
    (root / "readme.txt").write_text("about all this")
    out = told(root)
    assert "texts from the files beside the items, such as `0.txt`, one a line" in out
    assert "image: 16 pairs, 8 items, 3 distinct texts" in out
    boxes = fill(tmp_path / "boxes", "cat", "dog", each=6)
    for file in boxes.rglob("*.png"):
        file.with_suffix(".txt").write_text("0 0.5 0.5 0.1 0.1\n")
    out = told(boxes)
    assert "image: 12 pairs, 12 items, 2 distinct texts" in out
    assert "document" not in out


def test_equal_names_in_two_unicode_forms_are_one_class(tmp_path: Path, told: Told) -> None:
    names = [unicodedata.normalize(form, "café") for form in ("NFC", "NFD")]
    out = told(fill(tmp_path / "set", *names, "tea"))
    assert "2 distinct texts" in out
    assert "8  café" in out


def test_links_to_folders_are_followed_on_request(tmp_path: Path, told: Told) -> None:
    real = fill(tmp_path / "real", "cat", "dog")
    root = tmp_path / "set"
    root.mkdir()
    for name in ("cat", "dog"):
        (root / name).symlink_to(real / name)
    (root / "round").symlink_to(root)
    assert "a link to a folder, which is not followed (--follow-links)" in told(root, fails=True)
    assert "image: 8 pairs, 8 items, 2 distinct texts" in told(root, "--follow-links")


def test_include_exclude_and_modality_restrict(tmp_path: Path, told: Told, run: Callable[..., Result]) -> None:
    root = fill(tmp_path / "set", "cat", "dog", "cat/augmented", "bird")
    for name in ("cat", "dog"):
        (root / name / "notes.txt").write_text(f"about {name}")
        (root / name / "more.txt").write_text(f"more about {name}")
        (root / name / "yet.txt").write_text(f"yet more about {name}")
    assert "document: " in told(root)
    out = told(root, "--modality", "image", "--exclude", "augmented", "--exclude", "bird/*")
    assert "image: 8 pairs, 8 items, 2 distinct texts" in out
    assert "14 rows or files are not asked for" in out
    assert "document" not in out
    assert "8 pairs" in told(root, "--include", "cat/?.png", "--include", "dog/*.png")
    assert "holds nothing that is asked for: 22 rows or files" in told(root, "--include", "*.bmp", fails=True)
    assert "no reader is called 'smell'" in told(root, "--modality", "smell", fails=True)
    (root / "pairs.csv").write_text(
        "path,text\n" + "".join(f"{n}/{k}.png,{n}\n" for n in ("cat", "dog", "bird") for k in range(4))
    )
    assert "8 pairs" in told(root, "--exclude", "bird")
    done = run("encode", root, "--include", "dog/*", "--modality", "image")
    assert "image" in done.stdout
    assert "document" not in done.stdout


def test_a_modality_with_too_little_data_never_stops_the_others(tmp_path: Path, told: Told) -> None:
    root = fill(tmp_path / "set", "cat", "dog", each=6)
    (root / "cat" / "notes.txt").write_text("one stray text")
    assert "document is left out: 1 distinct text in 1 pairs" in told(root)
    (root / "dog" / "notes.txt").write_text("another stray text")
    assert "document is left out: 2 independent groups, at least 3 are needed" in told(root)
    (root / "cat" / "broken.wav").write_bytes(b"no sound")
    (root / "dog" / "broken.wav").write_bytes(b"no sound either")
    (root / "cat" / "cut.wav").write_bytes(b"RIFF")
    out = told(root)
    assert "audio is left out: none of its" in out
    assert "image: train" in out
    for name in ("cat", "dog"):
        for file in (root / name).glob("*.png"):
            file.unlink()
    assert "no audio item for fitting could be read" in told(root, fails=True)


def test_the_meaning_of_folders() -> None:
    found = class_folders([("a", "b"), ("a", "c"), ()])
    assert [found.of(folders).text for folders in (("a", "b"), ("a", "c"), (), ("x",))] == ["b", "c", "", ""]
    found = class_folders([("train", "x"), ("test", "x"), ("other", "x")])
    assert found.of(("other", "x")).problem == "folder 'other' lies beside test, train and is no side of the split"
    found = class_folders([("x", "train"), ("x", "test"), ("x",)])
    assert found.of(("x", "train")).split == "train"


def test_folders_from_python(tmp_path: Path) -> None:
    root = fill(tmp_path / "set", "animals/cat", "animals/dog", "vehicles/car")
    reading = textanchor.Reading(exclude="vehicles", class_depth=2)
    pairs = textanchor.read_pairs(root, reading=reading)
    assert {pair.text for pair in pairs.rows} == {"cat", "dog"}
    counts, _ = textanchor.encode_collection(root, reading=textanchor.Reading(include="vehicles/*"))
    assert [tally.usable for tally in counts] == [4]
