"""Whatever a user holds in Python as pairs, items, queries and collections; and what it looks like in a notebook."""

from __future__ import annotations

import io
from collections import namedtuple
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas
import pyarrow
import pytest
import soundfile
import torch
from PIL import Image

import textanchor
from conftest import CLASSES, picture, sound
from textanchor import read_pairs
from textanchor.errors import InputError, ItemError, LeakError, NothingUsableError
from textanchor.latents.engine import contents
from textanchor.runtime import Runtime

EACH = 12
PICTURES = [picture(kind, seed) for kind in CLASSES for seed in range(EACH)]
NAMES = [kind for kind in CLASSES for _ in range(EACH)]
PIXELS = np.stack([np.asarray(one) for one in PICTURES])
DIGITS = [CLASSES.index(name) for name in NAMES]


def png(image: Image.Image) -> bytes:
    out = io.BytesIO()
    image.save(out, format="PNG")
    return out.getvalue()


def wav(samples: np.ndarray) -> bytes:
    out = io.BytesIO()
    soundfile.write(out, samples, 8000, format="WAV")
    return out.getvalue()


class Labels:
    """Like `datasets.ClassLabel`."""

    names = CLASSES


class Files:
    """Like `datasets.Image` and `datasets.Audio`."""

    def __init__(self, decode: bool = True) -> None:
        self.decode = decode


class DataSet:
    """Like `datasets.Dataset`: decoded unless its feature says otherwise."""

    def __init__(self, rows: list[dict[str, Any]], features: dict[str, Any]) -> None:
        self._rows, self.features, self.column_names = rows, features, list(features)

    def cast_column(self, name: str, feature: Any) -> DataSet:
        return DataSet(self._rows, {**self.features, name: feature})

    def __iter__(self) -> Iterator[dict[str, Any]]:
        for row in self._rows:
            told = {name: getattr(feature, "decode", False) for name, feature in self.features.items()}
            yield {name: Image.open(io.BytesIO(cell["bytes"])) if told[name] else cell for name, cell in row.items()}

    def __len__(self) -> int:
        return len(self._rows)


def data_set(pictures: list[Image.Image], labels: list[int]) -> DataSet:
    rows = [
        {"image": {"bytes": png(one), "path": "x.png"}, "label": label} for one, label in zip(pictures, labels, strict=True)
    ]
    return DataSet(rows, {"image": Files(), "label": Labels()})


class Polars:
    """Like a data frame of polars."""

    columns = ("image", "caption")

    def iter_rows(self) -> Iterator[tuple[Any, ...]]:
        return zip(PICTURES, NAMES, strict=True)


class Torch:
    """Like a data set of torchvision: asked by number, classes as numbers."""

    classes = CLASSES

    def __getitem__(self, row: int) -> tuple[Image.Image, int]:
        return PICTURES[row], DIGITS[row]  # and no IndexError of its own that iteration could stand on

    def __len__(self) -> int:
        return len(PICTURES)


Drawing = namedtuple("Drawing", ["image", "caption"])
WAYS: Mapping[str, Any] = {
    "pairs": list(zip(PICTURES, NAMES, strict=True)),
    "pairs as lists": [[image, name] for image, name in zip(PICTURES, NAMES, strict=True)],
    "a generator": lambda: ((image, name) for image, name in zip(PICTURES, NAMES, strict=True)),
    "dicts": [{"image": image, "text": name} for image, name in zip(PICTURES, NAMES, strict=True)],
    "named tuples": [Drawing(image, name) for image, name in zip(PICTURES, NAMES, strict=True)],
    "a dict of columns": {"Image": PICTURES, "Label": NAMES},
    "a data frame": pandas.DataFrame({"image": PICTURES, "caption": NAMES}),
    "a data frame of bytes": pandas.DataFrame({"image": [png(one) for one in PICTURES], "label": NAMES}),
    "a data frame of categories": pandas.DataFrame({"image": PICTURES, "label": pandas.Categorical(NAMES)}),
    "a table of arrow": pyarrow.table({"image": [png(one) for one in PICTURES], "caption": NAMES}),
    "a data frame of polars": Polars(),
    "a data set": data_set(PICTURES, DIGITS),
    "a data set of torch": Torch(),
    "X, y": (PICTURES, NAMES),
    "X, y of bytes [n, h, w, 3]": (PIXELS, np.array(NAMES)),
    "X, y of floats": (PIXELS / 255, pandas.Series(NAMES)),
    "X, y of floats in single precision": ((PIXELS / 255).astype(np.float32), tuple(NAMES)),
    "X, y of a tensor, channels first": (torch.tensor(PIXELS).permute(0, 3, 1, 2) / 255, NAMES),
    "X, y of grey floats": (np.stack([np.asarray(one.convert("L")) for one in PICTURES]) / 255, NAMES),
}


def given(way: str) -> Any:
    return WAYS[way]() if way == "a generator" else WAYS[way]


@pytest.mark.parametrize("way", WAYS)
def test_pairs_in_memory_are_read(way: str) -> None:
    pairs = read_pairs(given(way))
    assert [pair.text for pair in pairs.rows] == NAMES
    assert pairs.modalities == ("image",)
    assert len(pairs.items) == len(PICTURES)
    assert not pairs.skipped
    hashes, unread = contents(pairs.items, Runtime())
    assert not unread
    assert len(set(hashes.values())) == len(PICTURES)


def test_all_pixels_are_one_content_in_whatever_type(tmp_path: Path) -> None:
    """An array, a tensor and a PIL image of the same pixels are copies of each other; so are a file and its bytes."""
    ways = ("pairs", "X, y of bytes [n, h, w, 3]", "X, y of floats", "X, y of a tensor, channels first")
    told = [set(contents(read_pairs(WAYS[way]).items, Runtime())[0].values()) for way in ways]
    assert all(one == told[0] for one in told)
    files = []
    for row, image in enumerate(PICTURES):
        files.append(tmp_path / f"{row}.png")
        files[-1].write_bytes(png(image))
    on_disk, in_memory, undecoded = (
        set(contents(read_pairs(source).items, Runtime())[0].values())
        for source in ((files, NAMES), WAYS["a data frame of bytes"], WAYS["a data set"])
    )
    assert on_disk == in_memory == undecoded


def test_fit_evaluate_diagnose_compare_take_objects(tmp_path: Path) -> None:
    frame = WAYS["a data frame"]
    space = textanchor.fit(frame, aligner="ridge")
    assert space.stories[-1].source == "memory"
    done = textanchor.evaluate(space, WAYS["X, y"], probe=False)
    assert done.table("alignment")[0]["R@1"] > 0.9
    assert done.judged.excluded["train"] > 20, "known by content, whatever they came in"
    assert textanchor.diagnose(WAYS["dicts"]).reached["image"]
    board = textanchor.compare(WAYS["a data set"], tmp_path / "board", textanchor.Grid(aligners=("ridge", "procrustes")))
    assert len(board.validation) == 2
    everything = textanchor.fit(frame, aligner="ridge", fractions=(0.8, 0.2, 0))
    with pytest.raises(LeakError, match="all 48 readable items were seen"):
        textanchor.evaluate(everything, WAYS["X, y of bytes [n, h, w, 3]"])


def test_copies_in_memory_never_stand_on_two_sides() -> None:
    """Every picture four times, as different objects of different types: a split by object would tear them apart."""
    again = [Image.fromarray(np.asarray(one)) for one in PICTURES]
    pairs = read_pairs(
        [*zip(PICTURES, NAMES, strict=True), *zip(again, NAMES, strict=True), *zip(PIXELS, NAMES, strict=True),
         *zip(torch.tensor(PIXELS).permute(0, 3, 1, 2) / 255, NAMES, strict=True)]
    )  # fmt: skip
    assert len(pairs.items) == 4 * len(PICTURES)
    hashes, _ = contents(pairs.items, Runtime())
    split = textanchor.split(pairs, hashes)
    sides: dict[str, set[str]] = {}
    for item, content in hashes.items():
        sides.setdefault(content, set()).add(split.side(item))
    assert len(sides) == len(PICTURES)
    assert all(len(side) == 1 for side in sides.values())


def test_groups_and_sides_of_a_data_frame_are_kept() -> None:
    frame = pandas.DataFrame({"image": PICTURES, "label": NAMES, "group": [f"g{row // 3}" for row in range(48)]})
    pairs = read_pairs(frame)
    hashes, _ = contents(pairs.items, Runtime())
    split = textanchor.split(pairs, hashes)
    for group in {pair.group for pair in pairs.rows}:
        assert len({split.side(pair.item.id) for pair in pairs.rows if pair.group == group}) == 1
    frame["Split"] = ["train", "validation", "test"] * 16
    assert [pair.split for pair in read_pairs(frame).rows[:3]] == ["train", "val", "test"]
    with pytest.raises(NothingUsableError, match="unknown split 'often'"):
        read_pairs(frame.assign(Split="often"))


def test_a_dict_of_data_sets_is_a_split() -> None:
    parts = {"train": slice(0, None, 3), "validation": slice(1, None, 3), "test": slice(2, None, 3)}
    pairs = read_pairs({name: data_set(PICTURES[rows], DIGITS[rows]) for name, rows in parts.items()})
    assert {pair.split for pair in pairs.rows} == {"train", "val", "test"}
    assert len(pairs.items) == len(PICTURES), "rows of one number in two parts are two items"
    assert textanchor.fit(pairs, aligner="ridge").stories[-1].split == "predefined, groups kept apart"


def test_class_names_come_from_the_features_and_unknown_classes_are_said() -> None:
    labels = list(DIGITS)
    labels[5], labels[6] = -1, 9
    pairs = read_pairs(data_set(PICTURES, labels))
    assert [pair.text for pair in pairs.rows] == [name for row, name in enumerate(NAMES) if row not in (5, 6)]
    assert len(pairs.lone_items) == 1, "a class of -1 is not known"
    assert [one.reason for one in pairs.skipped] == ["column `label` holds 9; its classes are 0 to 3"]


def test_several_captions_are_pairs_each_and_one_object_is_one_item() -> None:
    rows = [{"image": image, "captions": [name, f"a {name}"]} for image, name in zip(PICTURES, NAMES, strict=True)]
    for source in (rows, [(row["image"], text) for row in rows for text in row["captions"]]):
        pairs = read_pairs(source)
        assert len(pairs.rows) == 2 * len(PICTURES)
        assert len(pairs.items) == len(PICTURES)


def test_what_is_missing_has_no_partner() -> None:
    frame = pandas.DataFrame(
        {"image": [*PICTURES[:44], None, float("nan"), pandas.NA, PICTURES[47]], "label": [*NAMES[:47], None]}
    )
    pairs = read_pairs(frame)
    assert len(pairs.rows) == 44
    assert len(pairs.lone_items) == 1
    assert len(pairs.lone_texts) == 1, "stripes, three times"


def test_sounds_in_memory() -> None:
    heard = [sound(kind, seed) for kind in CLASSES for seed in range(EACH)]
    decoded = [
        {"audio": {"array": one, "sampling_rate": 8000, "path": None}, "label": name}
        for one, name in zip(heard, NAMES, strict=True)
    ]
    told = {
        "tuples": ([(one, 8000) for one in heard], NAMES),
        "waveforms": ([textanchor.Waveform(samples=one, rate=8000) for one in heard], NAMES),
        "channels first": ([(torch.tensor(np.stack([one, one])), 8000) for one in heard], NAMES),
        "channels last": ([(np.stack([one, one], 1), 8000) for one in heard], NAMES),
        "decoded": decoded,
        "bytes": {"audio": [wav(one) for one in heard], "label": NAMES},
    }
    for way, source in told.items():
        pairs = read_pairs(source)
        assert pairs.modalities == ("audio",), way
        assert len(contents(pairs.items, Runtime())[0]) == 48, way
    same = [set(contents(read_pairs(told[way]).items, Runtime())[0].values()) for way in list(told)[:5]]
    assert all(one == same[0] for one in same)
    space = textanchor.fit(told["channels first"], aligner="ridge")
    assert space.embed((heard[0], 8000)).shape == (1, 384)


def test_whole_numbers_are_sounds_of_their_types_range(space: Any) -> None:
    heard = sound("circle", 3)
    whole = np.round(heard * 32767).astype(np.int16)
    loud = [space.embed((one, 8000))[0] for one in (heard, whole)]
    np.testing.assert_allclose(loud[0], loud[1], atol=0.02)
    with pytest.raises(ItemError, match="int64 samples have no known range"):
        space.embed((whole.astype(np.int64), 8000))


def test_paths_of_files_and_texts_as_items(shapes: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = sorted((shapes / "image").rglob("*.png"))
    names = [file.parent.name for file in files]
    for X in (files, [str(file) for file in files]):
        assert read_pairs((X, names)).items[0].path == files[0]
    monkeypatch.chdir(shapes)
    short = [file.relative_to(shapes).as_posix() for file in files]
    assert len(read_pairs(pandas.DataFrame({"File Name": short, "class": names})).items) == len(files)
    monkeypatch.chdir("/")
    assert len(read_pairs(pandas.DataFrame({"path": short, "class": names}), root=shapes).items) == len(files)
    with pytest.raises(NothingUsableError, match="48 skipped, the first being row 1: no such file: image/circle/00.png"):
        read_pairs((short, names))
    with pytest.raises(InputError, match="24 of 48 rows cannot be used, more than the allowed 10%"):
        read_pairs(([*files[:24], *short[24:]], names))
    sentences = [f"I am {word}" for word in ("glad", "sad", "angry")]
    documents = read_pairs((sentences, ["joy", "grief", "rage"]))
    assert documents.modalities == ("document",)
    assert read_pairs(pandas.DataFrame({"text": sentences, "label": ["joy", "grief", "rage"]})).items[0].value == "I am glad"


def test_named_columns_and_series() -> None:
    walks = [np.random.default_rng(row).normal(size=(60, 3)) for row in range(24)]
    frame = pandas.DataFrame({"walk": walks, "who": ["ann", "bob"] * 12})
    pairs = read_pairs(frame, path_column="walk", text_column="who", modality="series")
    assert pairs.modalities == ("series",)
    assert read_pairs((np.stack(walks), ["ann", "bob"] * 12), modality="series").items[3].value.shape == (60, 3)
    assert textanchor.fit(pairs, aligner="ridge").kinds == ("series",)


WRONG: Mapping[str, tuple[Any, str]] = {
    "a number": (5, "a int has no rows; expected a folder, a table, a data frame"),
    "nothing": (None, "a NoneType has no rows"),
    "an array alone": (PIXELS, r"a uint8 array \[48, 24, 24, 3\] has no rows.*or \(X, y\)"),
    "three in a row": ([(PICTURES[0], "a", "b")], r"row 1 is a tuple of 3; expected \(item, text\), or all rows as dicts"),
    "texts alone": (["a", "b"], "row 1 is a str; expected"),
    "unknown columns": (pandas.DataFrame({"foo": DIGITS, "bar": NAMES}), "has the columns `foo`, `bar`; expected one of items"),
    "no texts": (pandas.DataFrame({"foo": PICTURES, "bar": NAMES}), "read as columns: path from `foo`; not used: `bar`"),
    "X longer than y": ((PICTURES, NAMES[:-1]), r"read as \(X, y\), items and as many texts, not 48 and 47"),
    "one-hot y": ((PICTURES, np.eye(48)), r"y is a float64 array \[48, 48\]; expected one text, class name or number"),
    "X a table": ((pandas.DataFrame({"a": DIGITS}), NAMES), "X is a table; give the table itself"),
    "columns of two lengths": (
        {"image": PICTURES, "text": NAMES[:3]},
        "columns of equal length, and these are `image` 48, `text` 3",
    ),
    "flat numbers": ((np.zeros((48, 64)), NAMES), r"a float64 array \[64\]; say what it is: read_pairs\(\.\.\., modality=\)"),
    "a dict as text": ([{"image": PICTURES[0], "text": {"en": "a"}}], "column `text` holds structures with the fields en"),
    "an image as text": ([(PICTURES[0], PICTURES[1])], "column `text` holds a Image, which is no text"),
    "a file that is not there": ([("gone.png", "a cat"), ("gone too.png", "x")], "no such file: gone.png"),
    "an empty list": ([], "holds no pair"),
    "an empty data frame": (pandas.DataFrame({"image": [], "text": []}), "holds no pair"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_no_pairs_is_said_in_one_line(case: str) -> None:
    source, message = WRONG[case]
    with pytest.raises((InputError, NothingUsableError), match=message) as said:
        read_pairs(source)
    assert "\n" not in str(said.value)


def test_damaged_bytes_are_skipped_and_named() -> None:
    frame = pandas.DataFrame({"image": [png(one) for one in PICTURES], "label": NAMES})
    frame.loc[7, "image"] = frame.loc[7, "image"][:60]
    space = textanchor.fit(frame, aligner="ridge")
    assert [one.item for one in space.stories[-1].skipped] == ["image 8"]


# Items and queries


def test_embed_takes_what_there_is(space: Any, shapes: Path) -> None:
    image, heard = picture("circle", 3), sound("circle", 3)
    pixels = np.asarray(image)
    expected = space.embed(image)[0]
    told = [
        pixels, pixels / 255, (pixels / 255).astype(np.float16), pixels.astype(np.int64), np.moveaxis(pixels, -1, 0)[None],
        torch.tensor(pixels), torch.tensor(pixels).permute(2, 0, 1), torch.tensor(pixels).permute(2, 0, 1) / 255,
        np.dstack([pixels, np.full(pixels.shape[:2], 255, np.uint8)]), pixels[None], {"bytes": png(image), "path": "a.png"},
    ]  # fmt: skip
    for value in told:
        modality = "image" if isinstance(value, dict) else None
        found = space.embed(value, modality=modality)
        assert found.shape == (1, 384)
        np.testing.assert_allclose(found[0], expected, atol=1e-4)
    for bytes_ in (png(image), bytearray(png(image)), memoryview(png(image)), io.BytesIO(png(image))):
        np.testing.assert_allclose(space.embed(bytes_, modality="image")[0], expected, atol=1e-4)
    np.testing.assert_allclose(space.embed(wav(heard), modality="audio"), space.embed((heard, 8000)), atol=1e-3)
    grey = np.asarray(image.convert("L"))
    np.testing.assert_allclose(space.embed(grey), space.embed(grey[..., None]), atol=1e-4)
    np.testing.assert_allclose(space.embed([pixels, image]), np.stack([expected, expected]), atol=1e-4)
    assert space.embed(PIXELS[:5]).shape == (5, 384)
    assert space.embed(torch.tensor(PIXELS[:5]).permute(0, 3, 1, 2)).shape == (5, 384)
    assert space.embed(one for one in PICTURES[:3]).shape == (3, 384)
    assert space.embed(pandas.Series(["a", "b"])).shape == (2, 384)
    assert space.embed(np.array(["a", "b"])).shape == (2, 384)


def test_nothing_has_a_shape_too(space: Any) -> None:
    for nothing in ([], (), np.empty((0, 24, 24, 3), np.uint8), pandas.Series([], dtype=object)):
        assert space.embed(nothing).shape == (0, 384)
    assert space.embed([], compared_with="image").shape == (0, 384)
    assert space.search([], ["a"]) == []
    assert space.classify([], ["a", "b"]).shape == (0, 2)
    with pytest.raises(NothingUsableError, match="the collection is empty"):
        space.search("a", [])


def test_a_str_that_names_a_file(space: Any, shapes: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(shapes)
    name = "image/circle/03.png"
    with pytest.warns(UserWarning, match=f"'{name}' is taken as a text, and a file has that name") as said:
        as_text = space.embed(name)
    assert len(said) == 1
    np.testing.assert_allclose(as_text, space.embed(name, modality="text"), atol=1e-6)
    np.testing.assert_allclose(space.embed(name, modality="image"), space.embed(Path(name)), atol=1e-6)
    with pytest.warns(UserWarning, match=f"'{name}' and 1 more is taken as a text"):
        space.embed([name, "circle", name])
    with pytest.raises(ItemError, match="gone.png: No such file"):
        space.embed("gone.png", modality="image")
    assert space.embed("a" * 5000).shape == (1, 384), "too long for the name of a file"
    assert space.embed("a nul \0").shape == (1, 384)
    assert [hit.path.name for hit in space.search("circle", [name, "image/cross/01.png"], modality="image", k=1)] == ["03.png"]


def test_what_cannot_be_embedded_says_what_it_is(space: Any, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="item 0 is bytes; say what it is with modality="):
        space.embed(png(PICTURES[0]))
    with pytest.raises(InputError, match=r"an array \[3, 24, 24\] may be one picture with its channels first, or 3 grey ones"):
        space.embed(PIXELS[:3, ..., 0])
    with pytest.raises(ItemError, match=r"float64 pixels lie in \[0, 1\], these in \[0, 255\]; scale them"):
        space.embed(PIXELS[0].astype(np.float64))
    with pytest.raises(ItemError, match="NaN or infinite"):
        space.embed(np.full((8, 8, 3), np.nan))
    with pytest.raises(InputError, match="item 0 is a dict of a; say what it is"):
        space.embed({"a": 1})
    with pytest.raises(InputError, match="item 0 is a NoneType"):
        space.embed(None)
    with pytest.raises(InputError, match="is a folder; give its files one by one"):
        space.embed(tmp_path)


def test_one_lazy_picture_may_be_given_many_times(space: Any, shapes: Path) -> None:
    """Threads hash and decode; PIL loads a file when it is first looked at."""
    file = shapes / "image" / "cross" / "03.png"
    with Image.open(file) as lazy:
        found = space.embed([lazy] * 60)
    np.testing.assert_allclose(found, np.repeat(space.embed(file), 60, axis=0), atol=1e-4)
    with Image.open(io.BytesIO(png(PICTURES[0])[:80])) as cut, pytest.raises(ItemError, match="image 0: damaged image"):
        space.embed(cut)


def test_a_report_shows_what_is_in_memory(tmp_path: Path) -> None:
    space = textanchor.fit(WAYS["a data frame"], aligner="ridge")
    done = textanchor.evaluate(space, WAYS["a data frame of bytes"])
    textanchor.write_report(done, space, tmp_path / "report")
    assert (tmp_path / "report" / "report.html").read_text().count("data:image/png;base64,") > 4
    with pytest.raises(InputError, match="the pairs were made in memory"):
        textanchor.rerun(space.save(tmp_path / "space"))


def test_search_takes_several_queries_and_vectors(space: Any, shapes: Path) -> None:
    index = textanchor.build_index(space, shapes)
    asked = ["circle", shapes / "image" / "cross" / "01.png", picture("square", 99), (sound("stripes", 99), 8000)]
    together = textanchor.search(space, asked, index, k=4)
    alone = [textanchor.search(space, one, index, k=4) for one in asked]
    for one, other in zip(together, alone, strict=True):
        np.testing.assert_allclose([hit.score for hit in one], [hit.score for hit in other], atol=1e-5)
        assert {hit.id.split("/")[1] for hit in one} == {hit.id.split("/")[1] for hit in other}
    assert [hit.rank for hit in together[1]] == [1, 2, 3, 4]
    vector = space.embed("circle")[0]
    by_vector = textanchor.search(space, vector, index, k=4)
    assert [hit.id for hit in by_vector] == [hit.id for hit in alone[0]]
    images = space.embed([shapes / "image" / "cross" / "01.png"])
    (by_image,) = textanchor.search(space, torch.tensor(images), index, k=4, query_modality="image")
    assert [hit.id for hit in by_image] == [hit.id for hit in alone[1]]
    assert len(textanchor.search(space, space.embed(["a", "b"]), index)) == 2
    with pytest.raises(InputError, match="NaN"):
        textanchor.search(space, np.full(384, np.nan), index)


def test_collections_in_memory(space: Any) -> None:
    for collection in (WAYS["a data frame"], WAYS["dicts"], WAYS["a data set"], PICTURES, PIXELS, WAYS["pairs"]):
        hits = space.search("circle", collection, k=3)
        assert [hit.modality for hit in hits] == ["image"] * 3
    (hit,) = space.search(PICTURES[0], WAYS["a data frame"], modality="text", k=1)
    assert hit.id == "circle"


def test_the_obvious_names_are_there(space: Any, saved: Path) -> None:
    again = textanchor.Space.load(saved, device="cpu")
    assert again.anchor == space.anchor
    assert [hit.id for hit in again.search("circle", ["a", "circle"], k=1)] == ["circle"]
    texts = ["a circle", "a cross"]
    np.testing.assert_array_equal(again.classify(PICTURES[0], texts), textanchor.classify(again, PICTURES[0], texts))


def test_what_a_notebook_shows_is_short(space: Any, shapes: Path, tmp_path: Path) -> None:
    pairs = read_pairs(shapes)
    done = textanchor.evaluate(space, shapes, probe=False)
    found = textanchor.diagnose(shapes)
    board = textanchor.compare(shapes, tmp_path / "board", textanchor.Grid(aligners=("ridge",)))
    index = textanchor.build_index(space, shapes)
    told = [
        space, pairs, pairs.rows[0], pairs.items[0], done, done.judged, found, board, board.validation[0], index,
        space.geometry,
        space.geometry.between("image", "text"), space.modalities["image"], space.modalities["image"].view, space.stories[0],
        space.modalities["image"].choice, space.seen, done.judged.pairs["held-out"]["image"], read_pairs(WAYS["X, y"]).items[0],
        textanchor.Series(values=np.zeros((900, 2), np.float32)), textanchor.Item(id="x", modality="image", value=PIXELS[0]),
        textanchor.Waveform(samples=np.zeros(9000, np.float32), rate=8000), space.embed_all(pairs.items[:3]),
    ]  # fmt: skip
    for value in told:
        assert len(repr(value)) < 400, repr(value)[:500]
        assert "\n" not in repr(value)
    assert repr(pairs) == "Pairs(96 pairs of 48 image, 48 audio with 4 texts; from shapes0)".replace("shapes0", shapes.name)
    assert repr(done).startswith("Evaluation(space: image->text R@1 ")
    assert repr(index) == "Index(48 image, 48 audio; 384 numbers each; exact)"


def test_a_frame_is_no_item_and_a_short_vector_no_query(space: Any, shapes: Path) -> None:
    frame = pandas.DataFrame({"image": [str(shapes / "image" / "circle" / "00.png")], "label": ["circle"]})
    for call in (space.embed, lambda given: space.classify(given, ["circle", "cross"])):
        with pytest.raises(InputError, match="a table is a collection of items"):
            call(frame)
    with pytest.raises(InputError, match=f"a query vector has {space.dim} numbers, .* and not 10"):
        space.search(np.zeros(10, np.float32), shapes)
