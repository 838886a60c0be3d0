"""Tables as people have them, from the command line: what is read as what, what is refused, and in which words."""

from __future__ import annotations

import gzip
import json
import shlex
import shutil
import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import soundfile
from click.testing import Result

import textanchor
from conftest import picture, sound
from textanchor.data.pairs import read_collection

Told = Callable[..., str]
KINDS = ("circle", "cross")
FEATURES = {
    "image": {"_type": "Image"},
    "label": {"_type": "ClassLabel", "names": ["fire_truck", "cat"]},
}


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """A folder with 0.png to 11.png, circles and crosses in turn."""
    for number in range(12):
        picture(KINDS[number % 2], number).save(tmp_path / f"{number}.png")
    return tmp_path


@pytest.fixture
def told(run: Callable[..., Result], tmp_path: Path) -> Told:
    """What `fit` says of a source on stdout; a failure, on stderr."""

    def call(source: Path, *options: object, fails: bool = False) -> str:
        place = tmp_path / ".space"
        done = run("fit", source, "-o", place, "--aligner", "ridge", "--overwrite", *options)
        assert (done.exit_code != 0) is fails, done.stderr
        return done.stderr if fails else done.stdout

    return call


def rows(count: int = 12) -> list[tuple[str, str]]:
    return [(f"{number}.png", f"a {KINDS[number % 2]}") for number in range(count)]


def lines(heading: str, mark: str = ",") -> str:
    return "\n".join((heading, *(mark.join(row) for row in rows()))) + "\n"


@pytest.mark.parametrize(
    ("heading", "mark", "said"),
    [
        ("Image,Caption", ",", "path from `Image`, text from `Caption`"),
        ("FILE_NAME;Label", ";", "path from `FILE_NAME`, text from `Label`"),
        ("image_name| comment", "|", "path from `image_name`, text from `comment`"),
        ("file path\tTranscription", "\t", "path from `file path`, text from `Transcription`"),
        ("filepath,class", ",", "path from `filepath`, text from `class`"),
        ("filename,category", ",", "path from `filename`, text from `category`"),
        ("img_path,sentence", ",", "path from `img_path`, text from `sentence`"),
    ],
)
def test_columns_in_use_and_delimiters(photos: Path, told: Told, heading: str, mark: str, said: str) -> None:
    (photos / "t.csv").write_text(lines(heading, mark))
    out = told(photos / "t.csv")
    assert f"read t.csv: {said}" in out
    assert "image: 12 pairs, 12 items, 2 distinct texts" in out


def test_columns_and_root_may_be_named(photos: Path, told: Told, tmp_path: Path) -> None:
    table = tmp_path / "elsewhere" / "t.csv"
    table.parent.mkdir()
    table.write_text(lines("id,breed"))
    why = told(table, fails=True)
    assert "has the columns breed, id; expected `path`" in why
    assert "--path-column, --text-column" in why
    why = told(table, "--path-column", "id", "--text-column", "breed", fails=True)
    assert "no such file: 0.png; --root FOLDER says where the names of files begin" in why
    out = told(table, "--path-column", "ID", "--text-column", "breed", "--root", photos)
    assert f"path from `id`, text from `breed`; files from {photos}" in out
    assert "--text-column race: no such column; there are `id`, `breed`" in told(table, "--text-column", "race", fails=True)


def test_files_that_lie_in_a_folder_beside_the_table_are_found(photos: Path, told: Told) -> None:
    (photos / "set").mkdir()
    (photos / "set" / "Images").mkdir()
    for name, _ in rows():
        shutil.move(photos / name, photos / "set" / "Images" / name)
    (photos / "set" / "captions.txt").write_text(lines("image,caption"))
    for source in (photos / "set" / "captions.txt", photos / "set"):
        out = told(source)
        assert "captions.txt: path from `image`, text from `caption`; files from" in out
        assert "12 pairs" in out


def test_a_table_without_a_heading(photos: Path, told: Told) -> None:
    table = photos / "t.csv"
    table.write_text("".join(f"{path.removesuffix('.png')}|{text}|{text.upper()}\n" for path, text in rows()))
    out = told(table)
    assert "path from `column 1`, text from `column 2`; not used: `column 3`" in out
    assert "12 pairs" in out
    assert "6  A CROSS" in told(table, "--path-column", 1, "--text-column", 3)


def test_packed_tables_and_other_encodings(photos: Path, told: Told) -> None:
    with gzip.open(photos / "t.csv.gz", "wt") as stream:
        stream.write(lines("path,text"))
    assert "read t.csv.gz: path from `path`" in told(photos / "t.csv.gz")
    (photos / "u.csv").write_text(lines("path;text", ";").replace("a cross", "größe"), encoding="utf-16")
    assert "6  größe" in told(photos / "u.csv")
    (photos / "q.tsv").write_text(lines("path\ttext", "\t").replace("\ta", '\t"a" no'))
    assert '"a" no cross' in told(photos / "q.tsv")
    (photos / "cut.csv.gz").write_bytes((photos / "t.csv.gz").read_bytes()[:40])
    assert "is not a readable csv table" in told(photos / "cut.csv.gz", fails=True)


@pytest.mark.parametrize(("ending", "mark"), [("tsv", "\t"), ("csv", "|")])
def test_a_quotation_over_two_rows_swallows_none(photos: Path, told: Told, ending: str, mark: str) -> None:
    table = photos / f"t.{ending}"
    whole = lines(f"path{mark}text", mark)
    table.write_text(whole.replace("4.png" + mark, "4.png" + mark + '"').replace(f"5.png{mark}a cross", f'5.png{mark}a cross"'))
    out = told(table)
    assert "12 pairs" in out
    assert '"a circle' in out
    table.write_text(whole.replace(f"4.png{mark}a circle", f'4.png{mark}"a{mark}wide\ncircle"'))
    out = told(table)
    assert "12 pairs" in out, "a cell of two lines is one"
    assert '"a' not in out


SHAPES: dict[str, Any] = {
    "array": [{"file_name": path, "captions": [text, "a shape"]} for path, text in rows()],
    "by file": {path: [text, "a shape"] for path, text in rows()},
    "columns": {"image": [path for path, _ in rows()], "text": [[text, "a shape"] for _, text in rows()]},
    "pandas": {
        "image": {str(place): path for place, (path, _) in enumerate(rows())},
        "text": {str(place): [text, "a shape"] for place, (_, text) in enumerate(rows())},
    },
    "split": {"columns": ["image", "text"], "index": [], "data": [[path, [text, "a shape"]] for path, text in rows()]},
    "index": {str(place): {"image": path, "text": [text, "a shape"]} for place, (path, text) in enumerate(rows())},
    "coco": {
        "images": [{"id": place, "file_name": path} for place, (path, _) in enumerate(rows())],
        "annotations": [
            {"image_id": place, "caption": caption} for place, (_, text) in enumerate(rows()) for caption in (text, "a shape")
        ],
    },
    "within": {"version": 1, "data": [{"path": path, "text": [text, "a shape"]} for path, text in rows()]},
}


@pytest.mark.parametrize("shape", SHAPES)
def test_json_of_any_shape_and_lists_of_captions(photos: Path, told: Told, shape: str) -> None:
    (photos / "t.json").write_text(json.dumps(SHAPES[shape], indent=1))
    assert "image: 24 pairs, 12 items, 3 distinct texts" in told(photos / "t.json")


def test_json_lines_under_either_name_and_keys_that_stand_twice(photos: Path, told: Told) -> None:
    text = "".join(f'{{"image": "{path}", "text": "{text}", "text": "a shape"}}\n' for path, text in rows())
    (photos / "t.json").write_text(text)
    (photos / "t.jsonl").write_text(text)
    for name in ("t.json", "t.jsonl"):
        assert "24 pairs, 12 items, 3 distinct texts" in told(photos / name)
    (photos / "t.json").write_text('{"a": 1}')
    assert "expected an array of objects, not one object with the keys a" in told(photos / "t.json", fails=True)
    (photos / "t.jsonl").write_text('{"image": "0.png", "text": "x"}\n{"image": \n')
    assert "line 2 is not valid JSON" in told(photos / "t.jsonl", fails=True)
    (photos / "t.json").write_text("[" * 100_000)
    assert "nested too deeply" in told(photos / "t.json", fails=True)


def test_two_columns_of_one_name(photos: Path, told: Told) -> None:
    (photos / "t.csv").write_text("path,text,text\n" + "".join(f"{path},{text},a shape\n" for path, text in rows()))
    assert "text from `text` and `text`" in (out := told(photos / "t.csv"))
    assert "24 pairs, 12 items, 3 distinct texts" in out
    (photos / "t.csv").write_text("path,Path,text\n" + "".join(f"{path},{path},{text}\n" for path, text in rows()))
    assert "the column `path` stands 2 times" in told(photos / "t.csv", fails=True)
    assert "12 pairs" in told(photos / "t.csv", "--path-column", "Path")
    same = pa.table([[path for path, _ in rows()], [text for _, text in rows()], ["a shape"] * 12], ["path", "text", "text"])
    pq.write_table(same, photos / "t.parquet")
    assert "24 pairs" in told(photos / "t.parquet")


def test_cells_are_never_what_python_prints_of_them(photos: Path, told: Told) -> None:
    paths = [path for path, _ in rows()]
    texts = [text for _, text in rows()]
    pq.write_table(pa.table({"path": paths, "text": [{"en": one, "de": None} for one in texts]}), photos / "s.parquet")
    why = told(photos / "s.parquet", fails=True)
    assert "column `text` holds structures with the fields en, de; name one, as in --text-column text.en" in why
    assert "6  a cross" in told(photos / "s.parquet", "--text-column", "text.en")
    pq.write_table(pa.table({"path": paths, "text": [[one, "a shape"] for one in texts]}), photos / "l.parquet")
    assert "24 pairs, 12 items, 3 distinct texts" in told(photos / "l.parquet")
    pq.write_table(pa.table({"path": paths, "text": [[[one]] for one in texts]}), photos / "ll.parquet")
    assert "column `text` holds lists of lists" in told(photos / "ll.parquet", fails=True)
    pq.write_table(
        pa.table({"path": [one.encode() for one in paths], "text": [one.encode() for one in texts]}), photos / "b.parquet"
    )
    assert "6  a cross" in told(photos / "b.parquet")
    pq.write_table(pa.table({"path": paths, "text": [b"\xff\x00"] * 12}), photos / "x.parquet")
    assert "column `text` holds bytes that are no text" in told(photos / "x.parquet", fails=True)
    pq.write_table(pa.table({"path": paths, "label": [float(place % 2) for place in range(12)]}), photos / "f.parquet")
    assert "6  1\n" in told(photos / "f.parquet")
    (photos / "r.csv").write_text("path,text\n" + "".join(f"{path},\"['{text}', 'a shape']\"\n" for path, text in rows()))
    assert "24 pairs, 12 items, 3 distinct texts" in told(photos / "r.csv")
    (photos / "d.csv").write_text("path,text\n" + "".join(f"{path},\"{{'en': '{text}'}}\"\n" for path, text in rows()))
    assert "column `text` holds structures written as text with the fields en" in told(photos / "d.csv", fails=True)


def hub(photos: Path, start: int, stop: int) -> pa.Table:
    held = [{"bytes": (photos / f"{place}.png").read_bytes(), "path": None} for place in range(start, stop)]
    table = pa.table({"image": held, "label": [place % 2 for place in range(start, stop)]})
    return table.replace_schema_metadata({"huggingface": json.dumps({"info": {"features": FEATURES}})})


def test_hub_folders_with_shards_bytes_and_names_of_classes(photos: Path, told: Told, run: Any, tmp_path: Path) -> None:
    data = photos / "repo" / "data"
    data.mkdir(parents=True)
    (photos / "repo" / "README.md").write_text("# A card")
    pq.write_table(hub(photos, 0, 4), data / "train-00000-of-00002.parquet", row_group_size=2)
    pq.write_table(hub(photos, 4, 8), data / "train-00001-of-00002-9564e8b05b4757ab.parquet")
    pq.write_table(hub(photos, 8, 12), data / "validation-00000-of-00001.parquet")
    out = told(photos / "repo")
    assert "read data/train-00000-of-00002.parquet: path from `image`, text from `label`; split train" in out
    assert "read data/validation-00000-of-00001.parquet: path from `image`, text from `label`; split val" in out
    assert "6  fire truck" in out
    assert "image: train 8 items in 8 groups, val 4 items in 4 groups" in out
    done = run("embed", photos / "repo", "--space", tmp_path / ".space", "-o", tmp_path / "v.parquet")
    assert "12 vectors" in done.stdout
    plain = run("embed", photos, "--include", "*.png", "--space", tmp_path / ".space", "-o", tmp_path / "w.parquet")
    assert "12 vectors" in plain.stdout
    one, other = (set(pq.read_table(tmp_path / name)["content"].to_pylist()) for name in ("v.parquet", "w.parquet"))
    assert one == other


def test_a_table_that_fit_reads_in_a_folder_is_searched_and_embedded(
    photos: Path, told: Told, run: Any, tmp_path: Path
) -> None:
    folder = photos / "repo"
    folder.mkdir()
    (folder / "README.md").write_text("# A card")
    pq.write_table(hub(photos, 0, 12), folder / "all.parquet")
    out = told(folder)
    assert "12 pairs" in out
    assert "does not name" not in out
    for others in ("", "word,count\nx,1\n"):
        if others:
            (folder / "counts.csv").write_text(others)
        done = run("embed", folder, "--space", tmp_path / ".space", "-o", tmp_path / "v.parquet", "--overwrite")
        assert "12 vectors" in done.stdout
        done = run("search", tmp_path / ".space", "a cat", "--in", folder)
        assert done.exit_code == 0, done.stderr
        assert "all.parquet:" in done.stdout


def test_files_that_a_folders_only_table_does_not_name_are_counted(photos: Path, told: Told) -> None:
    (photos / "some.csv").write_text("path,text\n" + "".join(f"{path},{text}\n" for path, text in rows(5)))
    assert "7 files that some.csv does not name were not read, such as " in " ".join(textanchor.read_pairs(photos).taken)
    assert len(read_collection(photos)[0]) == 12
    (photos / "some.csv").write_text("path,text\n" + "".join(f"{path},{text}\n" for path, text in rows(6)))
    assert "does not name" not in told(photos)


def test_bytes_are_read_one_by_one_from_any_arrow_file(photos: Path, told: Told) -> None:
    table = hub(photos, 0, 12)
    with pa.OSFile(str(photos / "t.arrow"), "wb") as stream, pa.ipc.new_stream(stream, table.schema) as writer:
        writer.write_table(table, max_chunksize=5)
    assert "6  cat" in told(photos / "t.arrow")
    binary = pa.table({"img": [one["bytes"] for one in table["image"].to_pylist()], "text": [text for _, text in rows()]})
    pq.write_table(binary, photos / "b.parquet")
    pairs = textanchor.read_pairs(photos / "b.parquet")
    assert [item.path for item in pairs.items] == [None] * 12
    assert "12 pairs" in told(photos / "b.parquet")
    named = pa.table({"image": [{"bytes": None, "path": path} for path, _ in rows()], "text": [text for _, text in rows()]})
    pq.write_table(named, photos / "n.parquet")
    assert textanchor.read_pairs(photos / "n.parquet").items[3].path == photos / "3.png"
    broken = pa.table(
        {
            "image": [b"no image"] * 3 + [one["bytes"] for one in table["image"].to_pylist()[3:]],
            "text": [text for _, text in rows()],
        }
    )
    pq.write_table(broken, photos / "x.parquet")
    assert "12 pairs" in told(photos / "x.parquet")


def test_what_looks_equal_is_one_text_and_one_file(photos: Path, told: Told) -> None:
    composed, apart = (unicodedata.normalize(form, "café") for form in ("NFC", "NFD"))
    folder = photos / "t"
    folder.mkdir()
    for number, (path, _) in enumerate(rows()):
        shutil.move(photos / path, folder / f"{apart} {number}.png")
    content = [
        f"{composed if number % 3 else apart} {number}.png,{(composed, apart, 'tea')[number % 3]}" for number in range(12)
    ]
    (folder / "t.csv").write_text("\n".join(("path,text", *content)) + "\n", encoding="utf-8")
    out = told(folder / "t.csv")
    assert "12 pairs, 12 items, 2 distinct texts" in out
    assert f"8  {composed}" in out
    (folder / "w.csv").write_text(
        "path,text\n" + "".join(f"..\\t\\{apart} {n}.png,{n % 2} x\n" for n in range(12)), encoding="utf-8"
    )
    assert "12 pairs" in told(folder / "w.csv")


def test_more_than_a_tenth_lost_stops_unless_allowed(photos: Path, told: Told) -> None:
    (photos / "t.csv").write_text(lines("path,text") + "gone.png,x\nlost.png,x\n")
    why = told(photos / "t.csv", fails=True)
    assert "t.csv: 2 of 14 rows cannot be used, more than the allowed 10%: 2 such as t.csv:14 gone.png: no such file" in why
    assert "--allow-lost 0.15" in why
    assert "12 pairs" in told(photos / "t.csv", "--allow-lost", 0.15)
    (photos / "t.csv").write_text(lines("path,text") + "gone.png,x\n0.png,a circle\n0.png,a circle\n")
    assert "12 pairs" in told(photos / "t.csv")
    with pytest.raises(textanchor.InputError, match="allow_lost=2: expected a share"):
        textanchor.Reading(allow_lost=2)


def test_splits_by_the_names_in_use(photos: Path, told: Told) -> None:
    sides = ["Train", "training", "train_set", "eval", "test_set", "Holdout"] * 2
    content = "".join(f"{path},{text},{side}\n" for (path, text), side in zip(rows(), sides, strict=True))
    (photos / "t.csv").write_text("path,text,split\n" + content)
    assert "image: train 6 items in 6 groups, val 2 items in 2 groups, test 4 items" in told(photos / "t.csv")
    (photos / "u.csv").write_text("filepaths,labels,data set\n" + content.replace("eval", "valid"))
    assert "split from `data set`" in told(photos / "u.csv")
    (photos / "v.csv").write_text("path,text,dataset\n" + content.replace("eval", "coco"))
    assert "not used: `dataset`" in told(photos / "v.csv")
    (photos / "w.csv").write_text("path,text,split\n" + content.replace("eval", "elsewhere"))
    assert "unknown split 'elsewhere'" in told(photos / "w.csv", fails=True)


def heard(folder: Path, count: int) -> list[str]:
    names = [f"{number}.wav" for number in range(count)]
    for number, name in enumerate(names):
        soundfile.write(folder / name, sound(KINDS[number % 2], number), 8000)
    return names


def test_each_row_of_several_modalities_is_kept(photos: Path, told: Told) -> None:
    sounds = heard(photos, 12)
    both = [f"{path},,{text}" for path, text in rows()] + [f",{name},a {KINDS[n % 2]}" for n, name in enumerate(sounds)]
    (photos / "t.csv").write_text("\n".join(("image,audio,label", *both)) + "\n")
    out = told(photos / "t.csv")
    assert "read t.csv: path from `image` and `audio` (an item from each that is filled), text from `label`" in out
    assert "image: 12 pairs, 12 items, 2 distinct texts" in out
    assert "audio: 12 pairs, 12 items, 2 distinct texts" in out
    assert "audio" not in told(photos / "t.csv", "--modality", "image").replace("`audio`", "")
    full = [f"{path},{name},{text}" for (path, text), name in zip(rows(), sounds, strict=True)]
    (photos / "f.csv").write_text("\n".join(("image,audio,label", *full)) + "\n")
    pairs = textanchor.read_pairs(photos / "f.csv", modality="image")
    assert len(pairs.rows) == 12
    assert len(textanchor.read_pairs(photos / "f.csv").rows) == 24
    (photos / "0.wav").unlink()
    pairs = textanchor.read_pairs(photos / "f.csv")
    assert len(pairs.rows) == 23
    assert [one.reason for one in pairs.skipped] == ["no such file: 0.wav"]


def test_a_column_of_another_modality_that_names_nothing_stops_nothing(photos: Path, told: Told) -> None:
    (photos / "t.csv").write_text("image,video,label\n" + "".join(f"{path},clip 7,{text}\n" for path, text in rows()))
    assert "path from `image`, text from `label`; not used: `video`" in told(photos / "t.csv")


def test_cells_of_several_modalities_in_parquet_and_in_memory(photos: Path) -> None:
    names = heard(photos, 12)
    data: dict[str, list[Any]] = {"image": [], "audio": [], "text": []}
    for (path, text), name in zip(rows(), names, strict=True):
        data["image"] += [{"bytes": (photos / path).read_bytes(), "path": None}, None]
        data["audio"] += [None, {"bytes": (photos / name).read_bytes(), "path": None}]
        data["text"] += [text, text]
    pq.write_table(pa.table(data), photos / "b.parquet")
    for source in (photos / "b.parquet", data):
        assert textanchor.read_pairs(source).modalities == ("image", "audio")
        assert len(textanchor.read_pairs(source).rows) == 24


@pytest.mark.parametrize("above", ["dev/proj", "train/test", ""])
def test_folders_around_all_files_are_no_sides(photos: Path, told: Told, above: str) -> None:
    root = photos / above
    for number, (path, _) in enumerate(rows()):
        (root / ("train", "test")[number % 3 == 2]).mkdir(parents=True, exist_ok=True)
        shutil.move(photos / path, root / ("train", "test")[number % 3 == 2] / path)
    files = sorted(root.rglob("*.png"))
    (photos / "t.csv").write_text("path,text\n" + "".join(f"{file},a {KINDS[int(file.stem) % 2]}\n" for file in files))
    out = told(photos / "t.csv")
    assert "split from the folders of the files: test, train" in out
    assert "test 4 items" in out
    (photos / "t.csv").write_text(
        "path,text\n" + "".join(f"{file},a {file.stem}\n" for file in files if file.parent.name == "train")
    )
    assert "split from the folders" not in told(photos / "t.csv")


def test_the_same_from_python(photos: Path) -> None:
    (photos / "t.csv").write_text(lines("id,breed") + "gone.png,x\ngone2.png,x\n")
    reading = textanchor.Reading(path_column="id", text_column="breed", allow_lost=0.2)
    space = textanchor.fit(photos / "t.csv", aligner="ridge", reading=reading)
    assert textanchor.evaluate(space, photos / "t.csv", reading=reading, probe=False).metrics()["alignment"]
    assert textanchor.diagnose(photos / "t.csv", reading=reading).findings
    pairs = textanchor.read_pairs(photos / "t.csv", path_column="id", text_column="breed", allow_lost=0.2)
    assert pairs.taken == ("t.csv: path from `id`, text from `breed`",)
    with pytest.raises(TypeError, match="unexpected keyword argument 'colour'"):
        textanchor.read_pairs(photos / "t.csv", colour="red")


def test_the_next_command_is_told_with_the_options_that_it_needs(run: Callable[..., Result], tmp_path: Path) -> None:
    for place in ("my pictures", "elsewhere"):
        (tmp_path / place).mkdir()
    rows = ["Photo,Says"]
    for kind in ("circle", "cross"):
        for seed in range(20):
            picture(kind, seed).save(tmp_path / "my pictures" / f"{kind}{seed}.png")
            rows.append(f"{kind}{seed}.png,{kind}")
    table = tmp_path / "elsewhere" / "t.csv"
    table.write_text("\n".join(rows) + "\n")
    told = ("--root", tmp_path / "my pictures", "--text-column", "Says", "--path-column", "Photo")
    done = run("fit", table, "-o", tmp_path / "space", "--aligner", "ridge", *told)
    assert done.exit_code == 0, done.stderr
    command = done.stdout.splitlines()[-1].partition("next: textanchor ")[2]
    judged = run(*shlex.split(command), "--no-probes")
    assert judged.exit_code == 0, judged.stderr
    assert "R@1" in judged.stdout
