"""Tables and folders of pairs."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from textanchor.data import tables
from textanchor.data.pairs import group_key, iterate_collection, read_collection, read_pairs, write_pairs
from textanchor.errors import InputError, NothingUsableError
from textanchor.records import Item, Single

ROWS = [
    {"path": "a.png", "text": "a  cat", "group": "g1"},
    {"path": "a.png", "text": "an animal", "group": "g1"},
    {"path": "b.wav", "text": "a dog", "group": ""},
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("a.png", "b.wav", "c.png"):
        (tmp_path / name).write_bytes(name.encode())
    return tmp_path


def write_csv(path: Path, *rows: str) -> Path:
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return path


def table(folder: Path, kind: str) -> Path:
    path = folder / f"t.{kind}"
    if kind == "parquet":
        pq.write_table(pa.Table.from_pylist(ROWS), path)
    elif kind == "jsonl":
        path.write_text("".join(json.dumps(row) + "\n\n" for row in ROWS))
    else:
        mark = "\t" if kind == "tsv" else ","
        write_csv(path, mark.join(ROWS[0]), *(mark.join(row.values()) for row in ROWS))
    return path


@pytest.mark.parametrize("kind", ["csv", "tsv", "jsonl", "parquet"])
def test_every_kind_of_table_reads_the_same(folder: Path, kind: str) -> None:
    pairs = read_pairs(table(folder, kind))
    assert [(pair.item.id, pair.item.modality, pair.text, pair.group) for pair in pairs.rows] == [
        ("a.png", "image", "a cat", "g1"),
        ("a.png", "image", "an animal", "g1"),
        ("b.wav", "audio", "a dog", None),
    ]
    assert len(pairs.items) == 2
    assert pairs.modalities == ("image", "audio")
    assert pairs.groups == {"a.png": ("g1",)}
    assert not pairs.skipped


def test_every_problem_of_a_row_is_named_with_its_line(folder: Path) -> None:
    path = write_csv(
        folder / "t.csv",
        "path,text,modality,item,split",
        "a.png,a cat,,one,",
        "a.png,a cat,,one,",
        "b.wav,,,two,",
        "gone.png,x,,three,",
        "c.png,x,smell,four,",
        "notes.xyz,x,,five,",
        "c.png,x,,one,",
        "c.png,x,,six,elsewhere",
        ",x,,seven,",
        ",,,eight,",
    )
    pairs = read_pairs(path, allow_lost=1)
    assert len(pairs.rows) == 1
    assert [(one.item, one.reason) for one in pairs.skipped] == [
        ("t.csv:3 a.png", "duplicate of an earlier row"),
        ("t.csv:5 gone.png", "no such file: gone.png"),
        ("t.csv:6 c.png", "unknown modality 'smell'"),
        ("t.csv:7 notes.xyz", "unknown kind of file 'notes.xyz'"),
        ("t.csv:8 c.png", "item 'one' was another file or modality before"),
        (
            "t.csv:9 c.png",
            "unknown split 'elsewhere' (known: train, val, test and their usual names)",
        ),
        ("t.csv:11", "neither an item nor a text"),
        ("t.csv:4 b.wav", "no partner, and the table has no pair of audio that could teach what it means"),
    ]
    assert [single.text for single in pairs.singles] == ["x"]


def test_item_text_is_a_document(folder: Path) -> None:
    pairs = read_pairs(write_csv(folder / "t.csv", "item_text,text", "the cat sat,animals", "stocks fell,money"))
    assert [(pair.item.modality, pair.item.value) for pair in pairs.rows] == [
        ("document", "the cat sat"),
        ("document", "stocks fell"),
    ]


def test_folder_names_become_texts(tmp_path: Path) -> None:
    for place in ("train/fire_truck", "train/guinea-pig", "test/fire_truck"):
        (tmp_path / place).mkdir(parents=True)
        (tmp_path / place / f"{place[:2]}.png").write_bytes(b"x")
    (tmp_path / "train" / "fire_truck" / "notes.docx").write_bytes(b"x")
    (tmp_path / "train" / ".hidden.png").write_bytes(b"x")
    (tmp_path / "loose.png").write_bytes(b"x")
    pairs = read_pairs(tmp_path)
    assert sorted((pair.text, pair.split) for pair in pairs.rows) == [
        ("fire truck", "test"),
        ("fire truck", "train"),
        ("guinea pig", "train"),
    ]
    assert [one.reason for one in pairs.skipped] == ["unknown kind of file '.docx'"]
    assert [single.item.id for single in pairs.singles] == ["loose.png"]


def test_hugging_face_folders(tmp_path: Path) -> None:
    for side in ("train", "validation"):
        (tmp_path / side).mkdir()
        (tmp_path / side / "a.png").write_bytes(b"x")
        write_csv(tmp_path / side / "metadata.csv", "file_name,text", "a.png,a cat")
    pairs = read_pairs(tmp_path)
    assert [(pair.item.id, pair.split) for pair in pairs.rows] == [("train/a.png", "train"), ("validation/a.png", "val")]
    assert not pairs.skipped


def test_what_is_no_table_is_said(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="does not exist; expected a folder or a table"):
        read_pairs(tmp_path / "gone")
    with pytest.raises(NothingUsableError, match="holds no pair; expected rows"):
        read_pairs(tmp_path)
    (tmp_path / "a.docx").write_bytes(b"x")
    with pytest.raises(InputError, match="is no table; expected one of .csv"):
        read_pairs(tmp_path / "a.docx")
    with pytest.raises(InputError, match=r"has the columns breed, id; expected `path`"):
        read_pairs(write_csv(tmp_path / "t.csv", "id,breed", "a.png,x"))
    (tmp_path / "t.parquet").write_bytes(b"PAR1 not")
    with pytest.raises(InputError, match="not a readable parquet table"):
        read_pairs(tmp_path / "t.parquet")
    (tmp_path / "t.jsonl").write_text('{"path": "a.png"}\n[1]\n')
    with pytest.raises(InputError, match="line 2 is not a JSON object"):
        read_pairs(tmp_path / "t.jsonl")
    with pytest.raises(NothingUsableError, match=r"no usable pair: 1 skipped, the first being t2.csv:2 gone.png: no such file"):
        read_pairs(write_csv(tmp_path / "t2.csv", "path,text", "gone.png,x"))


def test_semicolons_and_missing_cells(folder: Path) -> None:
    pairs = read_pairs(write_csv(folder / "t.csv", "path;text;group", "a.png;a cat, asleep;g", "b.wav;a dog;"))
    assert [(pair.text, pair.group) for pair in pairs.rows] == [("a cat, asleep", "g"), ("a dog", None)]
    cells = {"path": ["a.png", "b.wav", "c.png"], "text": ["x", None, "y"], "group": [float("nan")] * 3}
    pq.write_table(pa.table(cells), folder / "t.parquet")
    pairs = read_pairs(folder / "t.parquet")
    assert [(pair.text, pair.group) for pair in pairs.rows] == [("x", None), ("y", None)]
    assert [one.reason for one in pairs.skipped] == [
        "no partner, and the table has no pair of audio that could teach what it means"
    ]
    pairs = read_pairs(write_csv(folder / "t.csv", "path,text", "a.png,a cat, asleep", 'b.wav,"a dog, awake"'), allow_lost=0.5)
    assert [pair.text for pair in pairs.rows] == ["a dog, awake"]
    assert [one.reason for one in pairs.skipped] == ["more cells than columns; a text with a comma needs quotes"]
    (folder / "t.csv").write_bytes("path,text\na.png,größe\n".encode("latin-1"))
    with pytest.raises(InputError, match="is not UTF-8 text .* save it as UTF-8"):
        read_pairs(folder / "t.csv")


def test_links_to_nothing_and_pipes_are_named_and_never_opened(folder: Path) -> None:
    (folder / "lost.png").symlink_to(folder / "nowhere.png")
    os.mkfifo(folder / "pipe.wav")
    items, skipped = read_collection(folder)
    assert len(items) == 3
    assert {one.item: one.reason for one in skipped} == {"lost.png": "a link to nothing", "pipe.wav": "not a regular file"}


def test_a_collection_needs_no_texts(folder: Path) -> None:
    items, skipped = read_collection(folder)
    assert [item.id for item in items] == ["a.png", "b.wav", "c.png"]
    assert not skipped
    write_csv(folder / "pairs.csv", "path,text", "a.png,a cat", "b.wav,a dog", "c.png,a cat")
    texts, _ = read_collection(folder, texts=True)
    assert [(item.modality, item.value) for item in texts] == [("text", "a cat"), ("text", "a dog")]


def test_rows_with_only_an_item_or_only_a_text_are_kept_as_singles(folder: Path) -> None:
    path = write_csv(
        folder / "t.csv",
        "path,text,modality,group,split",
        "a.png,a cat,,g,train",
        "c.png,,,h,",
        ",a dog,,,test",
        ",a horse,image,h,",
        ",a bark,audio,,",
        "a.png,,,,",
        "c.png,,,h,",
    )
    pairs = read_pairs(path)
    assert [(single.item and single.item.id, single.text, single.modality, single.group) for single in pairs.singles] == [
        ("c.png", None, "image", "h"),
        (None, "a dog", None, None),
        (None, "a horse", "image", "h"),
    ]
    assert {one.item: one.reason.split(",")[0] for one in pairs.skipped} == {
        "t.csv:6": "no partner",
        "t.csv:7 a.png": "no text",
        "t.csv:8 c.png": "duplicate of an earlier row",
    }
    write_pairs(pairs, folder / "again.csv")
    again = read_pairs(folder / "again.csv")
    assert (again.rows, again.singles, again.skipped) == (pairs.rows, pairs.singles, ())
    with pytest.raises(NothingUsableError, match="holds no usable pair: 1 items without a text and 1 texts without an item"):
        read_pairs(write_csv(folder / "lone.csv", "path,text", "a.png,", ",a dog"))


def test_a_single_is_an_item_or_a_text() -> None:
    with pytest.raises(ValueError, match="either an item or a text"):
        Single()
    with pytest.raises(ValueError, match="is of image, not of audio"):
        Single(item=Item(id="a", modality="image", value="a"), modality="audio")


def test_a_pair_that_stands_twice_keeps_both_of_its_groups(folder: Path) -> None:
    path = write_csv(
        folder / "t.csv", "path,text,group", "a.png,a cat,g1", "a.png,a cat,g2", "c.png,a dog,g2", "b.wav,a dog,g3"
    )
    pairs = read_pairs(path)
    assert pairs.groups["a.png"] == ("g1", "g2")
    assert pairs.joined_groups == {"a.png": "g1", "c.png": "g1", "b.wav": "g3"}


def test_a_column_may_begin_anywhere_in_a_jsonl(folder: Path) -> None:
    rows = [{"path": "a.png"}, {"path": "a.png", "text": "a cat", "group": "g"}]
    (folder / "t.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert [(pair.text, pair.group) for pair in read_pairs(folder / "t.jsonl").rows] == [("a cat", "g")]


def test_a_table_is_read_row_by_row(folder: Path) -> None:
    path = write_csv(folder / "t.csv", "path,text", "a.png,a cat", "b.wav,a dog")
    opened = tables.rows(path)
    assert next(opened)[0] == 2
    opened.close()
    items = iterate_collection(path)
    assert next(items).id == "a.png"


def test_equal_group_names_of_two_tables_are_two_groups(folder: Path) -> None:
    one, other = (read_pairs(write_csv(folder / name, "path,text", "a.png,x")) for name in ("one.csv", "other.csv"))
    assert group_key(one, "speaker 1") != group_key(other, "speaker 1")
    write_csv(folder / "pairs.csv", "path,text", "a.png,x")
    assert group_key(read_pairs(folder), "s") == group_key(read_pairs(folder / "pairs.csv"), "s")
