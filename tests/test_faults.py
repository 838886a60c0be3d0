"""Killed, out of disk, damaged, two at once: nothing that was encoded is lost, and nothing wrong is kept."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from conftest import picture
from textanchor.data.decoding import content_hash
from textanchor.encoders import Output
from textanchor.errors import InputError
from textanchor.latents import engine, maintenance
from textanchor.latents.decoded import decoded_output
from textanchor.latents.engine import encode, stream
from textanchor.latents.store import Store
from textanchor.records import Item
from textanchor.runtime import Limits, Runtime

PRINT = "f" * 64
MEANS = Output(name="", dim=3, fingerprint=PRINT)
CHILD = """
import sys, time
import numpy as np
from pathlib import Path
from textanchor.latents import engine
from textanchor.records import Item
from textanchor.runtime import Runtime
engine.SHARD = 40
folder, cache, log, wait = Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3]), float(sys.argv[4])

class Slow:
    modality, dim, fingerprint, batch = "image", 3, "f" * 64, 10
    def encode(self, batch):
        time.sleep(wait)
        with log.open("a") as stream:
            stream.write("." * len(batch))
        return np.stack([np.asarray(image, dtype=np.float32).mean(axis=(0, 1)) for image in batch])

items = [Item(id=path.name, modality="image", path=path) for path in sorted(folder.glob("*.png"))]
engine.encode(items, Slow(), Runtime(cache=Path(cache)))
"""


class Means:
    """The same encoder, quick, counting."""

    modality, dim, fingerprint, batch = "image", 3, PRINT, 10

    def __init__(self) -> None:
        self.calls = 0

    def encode(self, batch: Sequence[Any]) -> np.ndarray:
        self.calls += len(batch)
        return np.stack([np.asarray(image, dtype=np.float32).mean(axis=(0, 1)) for image in batch])


@pytest.fixture(scope="module")
def drawings(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("drawings")
    for seed in range(200):
        picture("cross", seed, 8 + seed % 3).save(folder / f"{seed:03d}.png")
    return folder


def items(folder: Path) -> list[Item]:
    return [Item(id=path.name, modality="image", path=path) for path in sorted(folder.glob("*.png"))]


def child(folder: Path, cache: Path, log: Path, wait: float) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", CHILD, str(folder), str(cache), str(log), str(wait)])


def clean(cache: Path) -> bool:
    """Every shard is sound, and no temporary file is left."""
    sound, bad = maintenance.verify(cache)
    return sound > 0 and not bad and not list(cache.rglob(".*"))


def test_kill_9_in_the_middle_costs_at_most_one_shard(drawings: Path, tmp_path: Path) -> None:
    cache, log = tmp_path / "cache", tmp_path / "log"
    process = child(drawings, cache, log, 0.05)
    until = time.monotonic() + 60
    while len(list((cache / PRINT).glob("*.safetensors"))) < 2 and time.monotonic() < until:
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    encoded = len(log.read_text())
    assert 80 <= encoded < 200
    after = Means()
    found = encode(items(drawings), after, Runtime(cache=cache))
    assert found.cached >= 80
    assert after.calls + found.cached == 200
    assert encoded - found.cached <= 40 + Means.batch, "at most one unflushed shard is encoded again"
    whole = encode(items(drawings), Means(), Runtime(cache=tmp_path / "other"))
    np.testing.assert_array_equal(found.latents.vectors, whole.latents.vectors)
    assert maintenance.verify(cache)[1] == []


def test_leftovers_of_killed_writers_are_pruned_when_they_are_old(drawings: Path, tmp_path: Path) -> None:
    encode(items(drawings)[:5], Means(), Runtime(cache=tmp_path))
    fresh, old = tmp_path / PRINT / ".x.safetensors.abc", tmp_path / PRINT / ".y.safetensors.def"
    fresh.write_bytes(b"half")
    old.write_bytes(b"half")
    os.utime(old, (1, 1))
    assert maintenance.prune(tmp_path).files == 1
    assert fresh.exists()
    assert not old.exists()


def test_a_full_disk_is_one_line_and_loses_nothing(drawings: Path, tmp_path: Path) -> None:
    limited = (
        "import resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (30000, 30000)); "
        "from textanchor.cli import main; main(sys.argv[1:])"
    )
    command = [sys.executable, "-c", limited, "encode", str(drawings), "--cache", str(tmp_path / "cache")]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stderr.strip().splitlines()[-1].startswith("error: ")
    assert "File too large" in done.stderr
    assert "Traceback" not in done.stderr
    assert not list((tmp_path / "cache").rglob("*.safetensors"))
    assert not list((tmp_path / "cache").rglob(".*"))
    command[2] = limited.replace("30000, 30000", "resource.RLIM_INFINITY, resource.RLIM_INFINITY")
    again = subprocess.run(command, capture_output=True, text=True)
    assert again.returncode == 0, again.stderr
    assert clean(tmp_path / "cache")


def test_a_disk_that_fills_later_keeps_the_shards_before(
    drawings: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from textanchor.latents import shards as module

    monkeypatch.setattr(engine, "SHARD", 50)
    real, written = module.write_bytes, []

    def full(path: Path, content: bytes) -> None:
        if len(written) == 2:
            raise OSError(28, "No space left on device", str(path))
        if path.parent.name == PRINT:
            written.append(path)
        real(path, content)

    monkeypatch.setattr(module, "write_bytes", full)
    with pytest.raises(InputError, match="cannot be written .No space left on device."):
        encode(items(drawings), Means(), Runtime(cache=tmp_path))
    monkeypatch.setattr(module, "write_bytes", real)
    after = Means()
    assert encode(items(drawings), after, Runtime(cache=tmp_path)).cached == 100
    assert after.calls == 100


@pytest.mark.parametrize("place", [0.02, 0.3, 0.6, 0.98])
def test_a_corrupted_shard_is_encoded_again(
    place: float, drawings: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(engine, "SHARD", 50)
    before = encode(items(drawings), Means(), Runtime(cache=tmp_path)).latents.vectors
    shard = sorted((tmp_path / PRINT).glob("*.safetensors"))[1]
    raw = bytearray(shard.read_bytes())
    raw[int(len(raw) * place)] ^= 0x55
    shard.write_bytes(raw)
    after = Means()
    again = encode(items(drawings), after, Runtime(cache=tmp_path))
    np.testing.assert_array_equal(again.latents.vectors, before)
    assert (after.calls, again.new, again.cached) == (50, 50, 150)
    assert "set aside" in caplog.text
    assert sum(one.damaged for one in maintenance.listing(tmp_path)) == 1
    assert maintenance.prune(tmp_path).files == 1
    assert clean(tmp_path)


def test_two_writers_at_once_fill_one_cache(drawings: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    writers = [child(drawings, cache, tmp_path / f"log {n}", 0.01) for n in range(2)]
    assert [one.wait(timeout=120) for one in writers] == [0, 0]
    assert clean(cache)
    after = Means()
    found = encode(items(drawings), after, Runtime(cache=cache))
    assert after.calls == 0
    np.testing.assert_array_equal(
        found.latents.vectors, encode(items(drawings), Means(), Runtime(cache=tmp_path / "other")).latents.vectors
    )


def test_pruning_under_a_reader_costs_an_encoding_not_a_crash(drawings: Path, tmp_path: Path) -> None:
    encode(items(drawings)[:5], Means(), Runtime(cache=tmp_path))
    store = Store(tmp_path)
    keys = [content_hash(item) for item in items(drawings)[:5]]
    assert len(store.find(MEANS, keys)) == 5
    store = Store(tmp_path)
    maintenance.prune(tmp_path, fingerprint="ffff")
    assert store.find(MEANS, keys) == {}
    assert not (tmp_path / PRINT).exists()
    after = Means()
    assert encode(items(drawings)[:5], after, Runtime(cache=tmp_path)).new == 5


def test_pruning_by_age_and_size(drawings: Path, tmp_path: Path) -> None:
    for number in range(4):
        encode(items(drawings)[10 * number : 10 * number + 10], Means(), Runtime(cache=tmp_path))
    maintenance.prune(tmp_path, fingerprint=decoded_output("image").fingerprint)
    shards = sorted(tmp_path.rglob("*.safetensors"), key=lambda path: path.stat().st_mtime_ns)
    for age, path in enumerate(reversed(shards)):
        os.utime(path, (time.time() - age * 86400,) * 2)
    size = shards[0].stat().st_size
    assert maintenance.prune(tmp_path, older_than=2.5, dry_run=True).files == 1
    assert maintenance.prune(tmp_path, older_than=2.5).files == 1
    assert maintenance.prune(tmp_path, max_size=2 * size).files == 1
    assert set(tmp_path.rglob("*.safetensors")) == set(shards[2:])
    with pytest.raises(InputError, match="0 encoders in the cache have a fingerprint that begins with 'abc'"):
        maintenance.prune(tmp_path, fingerprint="abc")
    with pytest.raises(InputError, match="is no folder"):
        maintenance.listing(tmp_path / "gone")


def test_a_stream_takes_items_as_it_goes(drawings: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "SHARD", 20)
    taken = []

    def given() -> Any:
        for item in items(drawings):
            taken.append(item.id)
            yield item

    chunks = stream(given(), Means(), Runtime(cache=tmp_path))
    assert len(next(chunks).items) == 20
    assert len(taken) <= 40
    assert sum(len(chunk.items) for chunk in chunks) == 180


def test_items_are_decoded_while_others_are_encoded(drawings: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from textanchor.latents import forward_passes

    seen, ahead = [], threading.Event()
    real = forward_passes.decode

    def watching(item: Item, limits: Limits) -> Any:
        seen.append(item.id)
        if len(seen) > Means.batch:
            ahead.set()
        return real(item, limits)

    class Waiting(Means):
        def encode(self, batch: Sequence[Any]) -> np.ndarray:
            assert ahead.wait(10), "nothing was decoded while the encoder was at work"
            return super().encode(batch)

    monkeypatch.setattr(forward_passes, "decode", watching)
    assert encode(items(drawings), Waiting(), Runtime(cache=tmp_path)).new == 200


def failing(where: Callable[[Sequence[Any]], None]) -> Means:
    class Failing(Means):
        def encode(self, batch: Sequence[Any]) -> np.ndarray:
            where(batch)
            return super().encode(batch)

    return Failing()


def test_too_large_a_batch_is_halved(drawings: Path, tmp_path: Path) -> None:
    def small(batch: Sequence[Any]) -> None:
        if len(batch) > 3:
            raise RuntimeError("CUDA out of memory. Tried to allocate 7 TiB")

    assert encode(items(drawings), failing(small), Runtime(cache=tmp_path)).new == 200


def test_one_item_that_the_encoder_refuses_is_named(drawings: Path, tmp_path: Path) -> None:
    def picky(batch: Sequence[Any]) -> None:
        if any(image.width == 10 and np.asarray(image)[0, 0, 0] == first for image in batch):
            raise ValueError("I do not like\nthis one")

    first = int(np.asarray(picture("cross", 2, 10))[0, 0, 0])
    found = encode(items(drawings)[:30], failing(picky), Runtime(cache=tmp_path))
    assert "002.png" in {one.item for one in found.skipped}
    assert {one.reason for one in found.skipped} == {"cannot be encoded: I do not like this one"}
    assert found.new == 30 - len(found.skipped) >= 20


def test_inputs_of_one_size_are_encoded_together(drawings: Path, tmp_path: Path) -> None:
    sizes = []
    encode(items(drawings), failing(lambda batch: sizes.append({image.size for image in batch})), Runtime(cache=tmp_path))
    assert sum(len(held) > 1 for held in sizes) <= 4, "sorted by size, few batches are mixed"
