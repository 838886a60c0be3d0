"""Encoded once, kept by content."""

from __future__ import annotations

import logging
import os
import random
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conftest import picture
from textanchor.data.splits import Split
from textanchor.encoders import Output
from textanchor.errors import ItemError
from textanchor.latents import maintenance, shards
from textanchor.latents.engine import contents, encode
from textanchor.latents.keys import KeyIndex, as_bytes, short
from textanchor.latents.paired_latents import paired, unpaired
from textanchor.latents.store import Store, opened
from textanchor.records import Item, Pair, Pairs, Pooled, Single
from textanchor.runtime import Limits, Runtime


class Counting:
    """An encoder that counts what it is given."""

    modality, dim, fingerprint = "image", 3, "f" * 64

    def __init__(self) -> None:
        self.calls = 0

    def encode(self, batch):
        self.calls += len(batch)
        return np.stack([np.asarray(image, dtype=np.float32).mean(axis=(0, 1)) for image in batch])


def drawings(folder: Path, count: int = 6) -> list[Item]:
    items = []
    for seed in range(count):
        picture("circle", seed).save(folder / f"{seed}.png")
        items.append(Item(id=f"{seed}.png", modality="image", path=folder / f"{seed}.png"))
    return items


def key(number: int) -> str:
    return f"{number:064x}"


def output(dim: int, fingerprint: str = "f") -> Output:
    return Output(name="", dim=dim, fingerprint=fingerprint)


def rows(*numbers: int) -> dict[str, np.ndarray]:
    return {key(number): np.array([number], np.float32) for number in numbers}


def test_what_was_put_is_found_by_another_process(tmp_path: Path) -> None:
    two = {key(1): np.array([1, 2], np.float32), key(2): np.array([3, 4], np.float32)}
    Store(tmp_path).put(output(2), two)
    found = Store(tmp_path).find(output(2), [key(2), key(3), key(1)])
    assert {name: value.tolist() for name, value in found.items()} == {key(1): [1, 2], key(2): [3, 4]}
    assert Store(tmp_path).find(output(2, "another encoder"), [key(1)]) == {}


def test_two_writers_keep_each_others_shards(tmp_path: Path) -> None:
    one, two = Store(tmp_path), Store(tmp_path)
    one.put(output(1), rows(1))
    assert list(one.find(output(1), [key(1)])) == [key(1)]
    two.put(output(1), rows(2))
    two.put(output(1), rows(1))
    assert len(one.find(output(1), [key(1), key(2)])) == 2, "what another has written shows at the next look-up"


def test_a_former_fingerprint_of_the_same_latents_is_read(tmp_path: Path) -> None:
    Store(tmp_path).put(output(1, "former"), rows(1))
    now = Output(name="", dim=1, fingerprint="now", formerly=("former",))
    assert list(Store(tmp_path).find(now, [key(1)])) == [key(1)]


def test_a_damaged_shard_is_set_aside_and_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    store = Store(tmp_path)
    store.put(output(1), rows(1))
    store.put(output(1), rows(2))
    broken = next((tmp_path / "f").glob("*.safetensors"))
    raw = bytearray(broken.read_bytes())
    raw[-1] ^= 1
    broken.write_bytes(raw)
    with caplog.at_level(logging.WARNING):
        assert len(Store(tmp_path).find(output(1), [key(1), key(2)])) == 1
    assert "set aside" in caplog.text
    assert broken.with_suffix(".damaged").exists()
    assert len(Store(tmp_path).find(output(1), [key(1), key(2)])) == 1


def test_a_process_opens_a_cache_once(tmp_path: Path) -> None:
    assert opened(tmp_path / "a") is opened(tmp_path / "b" / ".." / "a")
    assert opened(tmp_path / "a") is not opened(tmp_path / "b")


def test_opening_reads_each_shards_keys_once_and_looking_up_reads_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    writer = Store(tmp_path)
    for number in range(30):
        writer.put(output(1), rows(2 * number, 2 * number + 1))
    for path in [*(tmp_path / "f").iterdir(), tmp_path / "f"]:
        os.utime(path, (1, 1))  # settled: nothing has changed for long
    real_keys, real_verify, read, hashed = shards.keys, shards.verify, [], []
    monkeypatch.setattr(shards, "keys", lambda path: (read.append(path), real_keys(path))[1])
    monkeypatch.setattr(shards, "verify", lambda path: (hashed.append(path), real_verify(path))[1])
    store = Store(tmp_path)
    wanted = [key(number) for number in random.Random(0).sample(range(60), 60)]
    assert len(store.find(output(1), wanted)) == 60
    assert (len(read), len(hashed)) == (30, 30)
    for name in wanted:
        assert list(store.find(output(1), [name])) == [name]
    assert (len(read), len(hashed)) == (30, 30), "in another order than written, and one by one"


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.lists(st.integers(0, 60), min_size=1, max_size=9, unique=True), max_size=12),
    st.sets(st.integers(0, 11)),
    st.lists(st.integers(0, 60), max_size=20),
)
def test_the_index_of_keys_is_a_dict(shards_: list[list[int]], dropped: set[int], wanted: list[int]) -> None:
    index = KeyIndex()
    for number, own in enumerate(shards_):
        index.add({number: short(as_bytes([key(name) for name in own]))})
    index.drop(dropped)
    found = {}
    for number, places, at in index.find([key(name) for name in wanted]):
        for place, row in zip(places, at, strict=True):
            assert shards_[number][row] == wanted[place]
            assert number not in dropped
            found[place] = number
    kept = {name for number, own in enumerate(shards_) if number not in dropped for name in own}
    assert sorted(found) == [place for place, name in enumerate(wanted) if name in kept]


def test_second_pass_encodes_nothing(tmp_path: Path) -> None:
    items, encoder = drawings(tmp_path), Counting()
    first = encode(items, encoder, Runtime(cache=tmp_path / "cache"))
    again = encode(items, encoder, Runtime(cache=tmp_path / "cache"))
    assert encoder.calls == 6
    assert (first.new, first.cached, again.new, again.cached) == (6, 0, 0, 6)
    np.testing.assert_array_equal(first.latents.vectors, again.latents.vectors)
    assert again.latents.ids == tuple(item.id for item in items)


def test_equal_files_are_encoded_once_whatever_their_names(tmp_path: Path) -> None:
    items, encoder = drawings(tmp_path, 2), Counting()
    (tmp_path / "copy.png").write_bytes((tmp_path / "0.png").read_bytes())
    copy = Item(id="copy", modality="image", path=tmp_path / "copy.png")
    found = encode([*items, copy], encoder, Runtime(cache=tmp_path / "cache"))
    assert encoder.calls == 2
    np.testing.assert_array_equal(found.latents.vectors[2], found.latents.vectors[0])


def test_bad_files_are_named_and_the_rest_goes_on(tmp_path: Path) -> None:
    items, encoder = drawings(tmp_path, 4), Counting()
    (tmp_path / "1.png").write_bytes((tmp_path / "1.png").read_bytes()[:200])
    (tmp_path / "3.png").unlink()
    found = encode(items, encoder, Runtime(cache=tmp_path / "cache"))
    assert found.latents.ids == ("0.png", "2.png")
    reasons = {one.item: one.reason for one in found.skipped}
    assert reasons["1.png"].startswith("damaged image")
    assert reasons["3.png"] == "No such file or directory"
    with pytest.raises(ItemError, match=r"3\.png: No such file"):
        encode(items[2:], encoder, Runtime(cache=tmp_path / "cache", strict=True))


def test_nothing_readable_is_an_empty_answer(tmp_path: Path) -> None:
    found = encode([Item(id="a", modality="image", path=tmp_path / "a.png")], Counting(), Runtime(cache=tmp_path))
    assert len(found.latents) == 0
    assert found.latents.vectors.shape == (0, 3)


def test_an_encoder_that_fails_midway_loses_only_what_it_had_not_done(tmp_path: Path) -> None:
    class Breaking(Counting):
        def encode(self, batch):
            if self.calls >= 64:
                raise KeyboardInterrupt
            return super().encode(batch)

    items = drawings(tmp_path, 70)
    with pytest.raises(KeyboardInterrupt):
        encode(items, Breaking(), Runtime(cache=tmp_path / "cache"))
    after = Counting()
    encode(items, after, Runtime(cache=tmp_path / "cache"))
    assert after.calls == 6


def test_long_work_is_kept_shard_by_shard(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from textanchor.latents import engine

    monkeypatch.setattr(engine, "SHARD", 64)
    items = drawings(tmp_path, 150)
    found = encode(items, Counting(), Runtime(cache=tmp_path / "cache"))
    assert len(found.latents) == 150
    assert len(list((tmp_path / "cache" / Counting.fingerprint).glob("*.safetensors"))) == 3


def test_not_a_number_is_never_kept(tmp_path: Path) -> None:
    class Bad(Counting):
        def encode(self, batch):
            out = super().encode(batch)
            out[0] = np.nan
            return out

    found = encode(drawings(tmp_path, 3), Bad(), Runtime(cache=tmp_path / "cache"))
    assert [one.reason for one in found.skipped] == ["the encoder gave NaN or infinite values"]
    assert maintenance.listing(tmp_path / "cache")[0].items == 2


def test_a_reader_from_outside_is_told_the_limits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Lines:
        modality, extensions, default_encoder = "lines", (".lines",), "none"

        def read(self, stream: BinaryIO, limits: Limits) -> np.ndarray:
            lines = stream.readlines()
            if len(lines) > limits.numbers:
                raise ValueError(f"{len(lines)} lines, more than {limits.numbers}")
            return np.ones((len(lines), 1, 3), dtype=np.float32)

        def accept(self, value: np.ndarray) -> np.ndarray:
            return value

        def content(self, value: np.ndarray) -> bytes:
            return value.tobytes()

    monkeypatch.setattr("textanchor.data.decoding.reader", lambda modality: Lines())
    items = []
    for count in (2, 5):
        path = tmp_path / f"{count}.lines"
        path.write_bytes(b"a line\n" * count)
        items.append(Item(id=path.name, modality="lines", path=path))
    small = encode(items, Counting(), Runtime(cache=tmp_path / "small", limits=Limits(numbers=3)))
    assert [(one.item, one.reason) for one in small.skipped] == [("5.lines", "5 lines, more than 3")]
    assert encode(items, Counting(), Runtime(cache=tmp_path / "large", limits=Limits(numbers=9))).new == 2


def test_a_single_query_writes_nothing(tmp_path: Path) -> None:
    encode(drawings(tmp_path, 1), Counting(), Runtime(cache=tmp_path / "cache"), store=False)
    assert not list((tmp_path / "cache").rglob("*.safetensors"))


def test_contents_name_what_cannot_be_read(tmp_path: Path) -> None:
    items = [*drawings(tmp_path, 2), Item(id="gone", modality="image", path=tmp_path / "gone.png")]
    hashes, skipped = contents(items, Runtime())
    assert set(hashes) == {"0.png", "1.png"}
    assert [one.item for one in skipped] == ["gone"]


def test_paired_joins_rows_to_latents_and_weighs_captions() -> None:
    item = {name: Item(id=name, modality="image", value=name) for name in "abc"}
    rows = tuple(Pair(item=item[name], text=text, group=group) for name, text, group in (
        ("a", "x", "g"), ("b", "y", None), ("a", "y", "g"), ("c", "z", None),
    ))  # fmt: skip
    latents = Pooled(
        vectors=np.diag([1.0, 2, 3]).astype(np.float32), ids=("c", "a", "b"), contents=("3", "1", "2"), fingerprint="f"
    )
    found = paired(Pairs(rows=rows), "image", latents, ("x", "y", "z"), np.eye(3, dtype=np.float32), {"a", "b"})
    assert found.items.ids == ("a", "b")
    assert found.texts == ("x", "y")
    assert found.edges.tolist() == [[0, 0], [1, 1], [0, 1]]
    assert found.weights.tolist() == [0.5, 1.0, 0.5]
    assert found.groups == ("g", "item b")
    np.testing.assert_array_equal(found.targets, [[0.5, 0.5, 0], [0, 1, 0]])


def test_every_group_of_an_item_counts_and_a_pair_that_stands_twice_is_one_edge() -> None:
    item = {name: Item(id=name, modality="image", value=name) for name in "abc"}
    told = (("a", "x", "g1"), ("a", "x", "g2"), ("b", "y", "g2"), ("c", "y", None))
    pairs = Pairs(rows=tuple(Pair(item=item[name], text=text, group=group) for name, text, group in told))
    latents = Pooled(vectors=np.eye(3, dtype=np.float32), ids=("a", "b", "c"), contents=("1", "2", "3"), fingerprint="f")
    found = paired(pairs, "image", latents, ("x", "y"), np.eye(2, 3, dtype=np.float32), {"a", "b", "c"})
    assert found.groups == ("g1", "g1", "item c")
    assert found.edges.tolist() == [[0, 0], [1, 1], [2, 1]]


def test_unpaired_is_what_has_no_partner_beside_train() -> None:
    item = {name: Item(id=name, modality="image", value=name) for name in "abcd"}
    singles = [Single(item=item[name], modality="image", group="g" if name == "b" else None) for name in "bcd"]
    singles += [Single(text=text, modality=modality) for text, modality in (("x", None), ("y", "image"), ("z", "audio"))]
    pairs = Pairs(rows=(Pair(item=item["a"], text="t"),), singles=tuple(singles))
    split = Split(
        train=frozenset("abc"),
        val=frozenset("d"),
        test=frozenset(),
        name="",
        lone_texts={"x": "train", "y": "test", "z": "train"},
    )
    latents = Pooled(vectors=np.eye(3, dtype=np.float32), ids=("c", "a", "b"), contents=("3", "1", "2"), fingerprint="f")
    found = unpaired(pairs, "image", latents, split)
    assert (found.items.ids, found.groups, found.texts) == (("c", "b"), ("item c", "g"), ("x",))
    assert paired(pairs, "image", latents, ("t",), np.eye(1, 3, dtype=np.float32), split.train).items.ids == ("a",)
