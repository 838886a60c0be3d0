"""The same cache filled by two workers of Ray: the same latents, and a lost worker costs only its own batch."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from conftest import picture, sound
from textanchor.encoders import make
from textanchor.errors import InputError
from textanchor.latents.engine import encode
from textanchor.latents.ray_engine import prefill
from textanchor.records import Item, Waveform
from textanchor.runtime import Limits, Runtime

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]
pytest.importorskip("ray", reason="the [ray] extra is not installed: pip install 'textanchor[ray]'")


@pytest.fixture(scope="module", autouse=True)
def two_workers() -> Iterator[None]:
    import ray

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
        ray.shutdown()


@pytest.fixture(scope="module")
def drawings(tmp_path_factory: pytest.TempPathFactory) -> list[Item]:
    folder = tmp_path_factory.mktemp("drawings")
    for seed in range(600):
        picture("circle", seed, 16).save(folder / f"{seed:03d}.png")
    return [Item(id=path.name, modality="image", path=path) for path in sorted(folder.iterdir())]


def test_ray_fills_the_same_cache(drawings: list[Item], tmp_path: Path) -> None:
    bad = tmp_path / "bad.png"
    bad.write_bytes(b"no image")
    given = [*drawings, Item(id="bad", modality="image", path=bad)]
    by_ray = Runtime(cache=tmp_path / "cache", engine="ray", workers=2)
    assert prefill(given, "signal", "image", by_ray) == 600
    encoder = make("signal", "image", Runtime())
    found = encode(given, encoder, Runtime(cache=tmp_path / "cache"))
    assert (found.new, found.cached, len(found.skipped)) == (0, 600, 1)
    local = encode(given, encoder, Runtime(cache=tmp_path / "local"))
    np.testing.assert_array_equal(found.latents.vectors, local.latents.vectors)
    texts = [Item(id=text, modality="text", value=text) for text in ("a dog", "a cat")]
    assert prefill(texts, "st:all-MiniLM-L6-v2", "text", by_ray) == 2
    assert prefill([], "signal", "image", by_ray) == 0
    assert prefill(given, "signal", "image", Runtime(cache=tmp_path / "unused")) == 0, "the local engine needs no filling"
    with pytest.raises(InputError, match="Ray takes files and texts, not a Waveform in memory"):
        prefill(
            [Item(id="w", modality="audio", value=Waveform(samples=sound("circle", 0), rate=8000))], "signal", "audio", by_ray
        )


def test_a_lost_worker_costs_only_its_batch(drawings: list[Item], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from textanchor.latents import ray_engine

    flag, log, real = tmp_path / "died", tmp_path / "log", ray_engine.Worker

    class Dying:
        """The worker, but the first to finish a second batch dies instead, once."""

        def __init__(self, **how: Any) -> None:
            self._inner, self._done = real(**how), 0

        def __call__(self, batch: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
            out = self._inner(batch)
            with log.open("a") as stream:
                stream.write(f"{len(batch['id'])} {int(out['new'][0])}\n")
            self._done += 1
            if self._done == 2 and not flag.exists():
                flag.write_text("")
                os._exit(1)
            return out

    monkeypatch.setattr(ray_engine, "Worker", Dying)
    monkeypatch.setattr(ray_engine, "BATCH", 50)
    ray_engine.prefill(drawings, "signal", "image", Runtime(cache=tmp_path / "cache", engine="ray", workers=2))
    assert flag.exists()
    again = encode(drawings, make("signal", "image", Runtime()), Runtime(cache=tmp_path / "cache"))
    assert (again.new, again.cached) == (0, 600)
    new = [int(line.split()[1]) for line in log.read_text().splitlines()]
    assert 600 <= sum(new) <= 600 + 50, "only the lost worker's batch may be encoded again"


def test_embed_by_ray_is_embed(shapes: Path, saved: Path, run: Any, tmp_path: Path) -> None:
    import pyarrow.parquet as pq

    for engine in ("ray", "local"):
        how = ("--cache", tmp_path / f"cache {engine}", "--engine", engine, "--workers", "2")
        done = run("embed", shapes, "--space", saved, "-o", tmp_path / f"{engine}.parquet", *how)
        assert done.exit_code == 0, done.stderr
        assert ["all", "96", "0", "0"] in [line.split() for line in done.stdout.splitlines()]
    one, two = (pq.read_table(tmp_path / f"{engine}.parquet") for engine in ("ray", "local"))
    assert one["item"] == two["item"]
    np.testing.assert_allclose(one["vector"].to_pylist(), two["vector"].to_pylist(), atol=1e-6)


def test_rays_workers_get_the_record_and_ask_no_environment(drawings: list[Item], tmp_path: Path) -> None:
    """A limit of the caller holds in other processes."""
    small = Runtime(cache=tmp_path / "cache", engine="ray", workers=2, limits=Limits(pixels=16 * 16 - 1))
    assert prefill(drawings[:20], "signal", "image", small) == 0
    assert prefill(drawings[:20], "signal", "image", replace(small, limits=Limits(pixels=16 * 16))) == 20
