"""Encoded once, kept by content."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import pytest

from conftest import picture
from textanchor.errors import ItemError
from textanchor.latents.cache import LatentCache
from textanchor.latents.engine import contents, encode
from textanchor.latents.pairing import paired
from textanchor.records import Item, Pair, Pairs, Pooled


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


def test_what_was_put_is_found_by_another_process(tmp_path: Path) -> None:
    LatentCache(tmp_path, "f", 2).put({key(1): np.array([1, 2], np.float32), key(2): np.array([3, 4], np.float32)})
    other = LatentCache(tmp_path, "f", 2)
    np.testing.assert_array_equal(other.get([key(2), key(1)]), [[3, 4], [1, 2]])
    assert key(3) not in other
    assert len(other) == 2
    assert key(1) not in LatentCache(tmp_path, "another encoder", 2)


def test_two_writers_keep_each_others_shards(tmp_path: Path) -> None:
    one, two = LatentCache(tmp_path, "f", 1), LatentCache(tmp_path, "f", 1)
    one.put({key(1): np.array([1], np.float32)})
    two.put({key(2): np.array([2], np.float32)})
    two.put({key(1): np.array([1], np.float32)})
    one.refresh()
    assert key(2) in one
    assert len(LatentCache(tmp_path, "f", 1)) == 2


def test_a_damaged_shard_is_set_aside_and_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    cache = LatentCache(tmp_path, "f", 1)
    cache.put({key(1): np.array([1], np.float32)})
    cache.put({key(2): np.array([2], np.float32)})
    broken = next((tmp_path / "f").glob("*.safetensors"))
    raw = bytearray(broken.read_bytes())
    raw[-1] ^= 1
    broken.write_bytes(raw)
    with caplog.at_level(logging.WARNING):
        found = LatentCache(tmp_path, "f", 1)
        held = found.find([key(1), key(2)])
    assert len(held) == len(found) == 1
    assert "set aside" in caplog.text
    assert broken.with_suffix(".damaged").exists()
    assert len(LatentCache(tmp_path, "f", 1)) == 1


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
    assert len(list((tmp_path / "cache").rglob("*.safetensors"))) == 3


def test_not_a_number_is_never_kept(tmp_path: Path) -> None:
    class Bad(Counting):
        def encode(self, batch):
            out = super().encode(batch)
            out[0] = np.nan
            return out

    found = encode(drawings(tmp_path, 3), Bad(), Runtime(cache=tmp_path / "cache"))
    assert [one.reason for one in found.skipped] == ["the encoder gave NaN or infinite values"]
    assert len(LatentCache(tmp_path / "cache", Bad.fingerprint, 3)) == 2


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
