"""Whole collections: from raw files to cached latents and to vectors in a Parquet file, and the cache's own commands."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
import soundfile

import textanchor
from conftest import picture, sound
from odd_files import film
from textanchor.collections import encode_collection, survey
from textanchor.errors import InputError, ItemError, NothingUsableError
from tiny_models import tiny_hub

Run = Callable[..., Any]


@pytest.fixture
def mixed(tmp_path: Path) -> Path:
    """Images, sounds, a video, a text; a broken file, a foreign one, a link to nothing, a hidden one."""
    root = tmp_path / "mixed"
    (root / "deep" / "er").mkdir(parents=True)
    for seed in range(3):
        picture("cross", seed).save(root / f"{seed}.png")
        soundfile.write(root / "deep" / f"{seed}.wav", sound("cross", seed), 8000)
    (root / "deep" / "er" / "film.mp4").write_bytes(film())
    (root / "note.txt").write_text("a cross")
    (root / "broken.png").write_bytes(b"no image")
    (root / "thing.xyz").write_bytes(b"?")
    (root / "gone.png").symlink_to(root / "nowhere.png")
    (root / "loop").symlink_to(root)
    (root / ".hidden.png").write_bytes(b"?")
    return root


def test_embed_takes_whatever_a_folder_holds(mixed: Path, saved: Path, run: Run, tmp_path: Path) -> None:
    out = tmp_path / "vectors.parquet"
    cache = ("--cache", tmp_path / "cache")
    done = run("embed", mixed, "--space", saved, "-o", out, *cache)
    assert done.exit_code == 0, done.stderr
    rows = [line.split() for line in done.stdout.splitlines()]
    assert ["all", "8", "0", "4"] in rows
    assert ["image", "3", "0", "1"] in rows
    assert ["other", "0", "0", "3"] in rows
    for told in ("broken.png: not an image", "thing.xyz: unknown kind of file '.xyz'", "gone.png: a link to nothing",
                 "loop: a link to a folder, which is not followed"):  # fmt: skip
        assert told in done.stderr
    table = pq.read_table(out)
    assert table.num_rows == 8
    assert sorted(set(table["modality"].to_pylist())) == ["audio", "image", "text", "video"]
    assert table.schema.metadata[b"textanchor.view"] == b"raw"
    held = dict(zip(table["item"].to_pylist(), table["vector"].to_pylist(), strict=True))
    space = textanchor.load(saved)
    for name, given in (("0.png", mixed / "0.png"), ("deep/er/film.mp4", mixed / "deep/er/film.mp4"), ("note.txt", "a cross")):
        np.testing.assert_allclose(held[name], space.embed(given)[0], atol=1e-5)
    again = run("embed", mixed, "--space", saved, "-o", out)
    assert again.exit_code == 2
    assert "--overwrite" in again.stderr
    again = run("embed", mixed, "--space", saved, "-o", out, "--overwrite", "--compared-with", "image", "--json", *cache)
    told = json.loads(again.stdout)
    assert [(one["modality"], one["encoded"], one["cached"]) for one in told["counts"]] == [
        ("image", 0, 3), ("audio", 0, 3), ("video", 0, 1), ("text", 0, 1),
    ]  # fmt: skip
    lengths = np.linalg.norm(pq.read_table(out)["vector"].to_pylist(), axis=1)
    np.testing.assert_allclose(lengths, 1, atol=1e-5)


def test_embed_says_what_cannot_be_done(mixed: Path, saved: Path, run: Run, tmp_path: Path) -> None:
    for arguments, told in (
        ((mixed, "--space", saved, "-o", tmp_path / "v.csv"), "name a file that ends in .parquet"),
        ((tmp_path / "no", "--space", saved, "-o", tmp_path / "v.parquet"), "does not exist"),
        (
            (mixed, "--space", saved, "-o", tmp_path / "v.parquet", "--compared-with", "smell"),
            "no modality 'smell' to compare with",
        ),
        ((mixed, "--space", saved, "-o", tmp_path / "v.parquet", "--modality", "smell"), "no reader is called 'smell'"),
        ((mixed, "--space", saved, "-o", tmp_path / "v.parquet", "--strict"), "gone.png: a link to nothing"),
    ):
        done = run("embed", *arguments)
        assert done.exit_code == 2, done.stdout
        assert told in done.stderr
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / "a.png").write_bytes(b"no")
    done = run("embed", tmp_path / "empty", "--space", saved, "-o", tmp_path / "v.parquet")
    assert done.exit_code == 1
    assert "nothing of" in done.stderr
    assert not (tmp_path / "v.parquet").exists()
    assert not list(tmp_path.glob(".v.parquet*"))


def test_a_modality_that_the_space_lacks_is_counted(mixed: Path, shapes: Path, tmp_path: Path) -> None:
    only = textanchor.fit(textanchor.read_pairs(shapes).only("image"), aligner="ridge", cache=tmp_path / "cache")
    counts, skipped = textanchor.embed_collection(only, mixed, tmp_path / "v.parquet")
    assert {one.modality: one.encoded + one.cached for one in counts} == {"image": 3, "text": 1, "video": 1}
    assert sum(one.reason == "the space has no modality 'audio'" for one in skipped) == 3


def test_encode_fills_the_cache_and_writes_latents(mixed: Path, run: Run, tmp_path: Path) -> None:
    cache, hub = tmp_path / "cache", tiny_hub(tmp_path / "vit")
    name = f"image=hub:{hub}@layer=all,pool=mean"
    done = run("encode", mixed, "--cache", cache, "--encoder", name, "-o", tmp_path / "latents")
    assert done.exit_code == 0, done.stderr
    assert "film.mp4: video is embedded by a space, part by part" in done.stderr
    assert {path.name for path in (tmp_path / "latents").iterdir()} == {
        "audio.parquet", "text.parquet", *(f"image layer={layer},pool=mean.parquet" for layer in ("last", 0, 1, 2)),
    }  # fmt: skip
    table = pq.read_table(tmp_path / "latents" / "image layer=1,pool=mean.parquet")
    from textanchor.encoders import make
    from textanchor.runtime import Runtime

    expected = make(f"hub:{hub}@layer=1", "image", Runtime(device="cpu")).encode([picture("cross", seed) for seed in range(3)])
    np.testing.assert_allclose(table["vector"].to_pylist(), expected, atol=1e-5)
    again = run("encode", mixed, "--cache", cache, "--encoder", name)
    assert ["all", "0", "7", "5"] in [line.split() for line in again.stdout.splitlines()]
    tokens = run("encode", mixed, "--cache", cache, "--encoder", f"image=hub:{hub}@pool=none", "-o", tmp_path / "tokens")
    assert "tokens of 4 image items: about 16 x 16 float16 each, 0.0 MB in all" in tokens.stderr
    kept = pq.read_table(tmp_path / "tokens" / "image layer=last,pool=none.parquet")["tokens"].to_pylist()
    assert np.asarray(kept).shape == (3, 16, 16)
    wrong = run("encode", mixed, "--encoder", "series=signal")
    assert wrong.exit_code == 2
    assert "the collection holds image, audio, video, text, no series" in wrong.stderr


def test_the_caches_commands(mixed: Path, run: Run, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    run("encode", mixed, "--cache", cache)
    listed = json.loads(run("cache", "ls", "--cache", cache, "--json").stdout)
    counts = sorted((one["encoder"], one["items"]) for one in listed)
    decoded = [("decoded contents", 1), ("decoded contents", 3), ("decoded contents", 3)]
    assert counts == [*decoded, ("signal", 3), ("signal", 3), ("st:all-MiniLM-L6-v2", 1)]
    assert "kB in" in run("cache", "size", "--cache", cache).stdout
    assert "6 shards are sound, 0 were damaged" in run("cache", "verify", "--cache", cache).stdout
    shard = next(cache.rglob("*.safetensors"))
    shard.write_bytes(shard.read_bytes()[:-1])
    done = run("cache", "verify", "--cache", cache)
    assert "5 shards are sound, 1 were damaged" in done.stdout
    assert "would remove 1 files" in run("cache", "prune", "--cache", cache, "--dry-run").stdout
    assert "removed 1 files" in run("cache", "prune", "--cache", cache).stdout
    assert run("cache", "prune", "--cache", cache, "--max-size", "lots").exit_code == 2
    assert "removed 5 files" in run("cache", "prune", "--cache", cache, "--max-size", "0").stdout
    assert run("cache", "ls", "--cache", cache).stdout.strip() == "the cache is empty"
    assert run("cache", "ls", "--cache", tmp_path / "none").exit_code == 2


def write_moves(root: Path) -> Path:
    """Three kinds of movement as CSV, NPY and Parquet, of unequal length and with gaps."""
    import pyarrow as pa

    rng = np.random.default_rng(0)
    for kind, hertz in (("rest", 0.0), ("walking", 2.0), ("running", 5.0)):
        (root / kind).mkdir(parents=True)
        for seed in range(12):
            time = np.arange(rng.integers(120, 260)) / 50
            wave = np.stack([np.sin(2 * np.pi * hertz * time + phase) for phase in rng.uniform(0, 6, 3)], 1) * (hertz > 0)
            wave = wave + rng.normal(0, 0.1, wave.shape)
            wave[rng.integers(len(wave), size=5), 1] = np.nan
            columns = {"time": time, "x": wave[:, 0], "y": wave[:, 1], "z": wave[:, 2]}
            if seed % 3 == 0:
                np.save(root / kind / f"{seed}.npy", wave)
            elif seed % 3 == 1:
                pq.write_table(pa.table(columns), root / kind / f"{seed}.parquet")
            else:
                lines = [
                    ",".join(columns),
                    *(",".join("" if np.isnan(v) else f"{v:.5f}" for v in row) for row in zip(*columns.values(), strict=True)),
                ]
                (root / kind / f"{seed}.csv").write_text("\n".join(lines))
    return root


def test_series_only_where_somebody_says_so(run: Run, tmp_path: Path) -> None:
    moves = write_moves(tmp_path / "moves")
    plain = run("fit", moves, "-o", tmp_path / "space")
    assert plain.exit_code == 1
    assert "unknown kind of file" in plain.stderr
    done = run("fit", moves, "-o", tmp_path / "space", "--modality", "series", "--encoder", "series=signal@channels=3")
    assert done.exit_code == 0, done.stderr
    judged = run("evaluate", tmp_path / "space", moves, "--modality", "series", "--json", "--no-probes")
    row = next(row for row in json.loads(judged.stdout)["alignment"] if row["query"] == "series")
    assert row["R@1"] >= 0.85
    found = run("search", tmp_path / "space", "walking", "--in", moves, "--modality", "series", "-k", "3", "--json")
    assert [hit["item"].split("/")[0] for hit in json.loads(found.stdout)] == ["walking"] * 3
    table = tmp_path / "pairs.csv"
    table.write_text(
        "path,text,modality\nmoves/rest/0.npy,rest,series\nmoves/running/2.csv,running,series\nmoves/rest/1.parquet,x,\n"
    )
    pairs = textanchor.read_pairs(table, allow_lost=1)
    assert [pair.item.modality for pair in pairs.rows] == ["series", "series"]
    assert "unknown kind of file" in pairs.skipped[0].reason


def test_collections_from_python(mixed: Path, tmp_path: Path) -> None:
    counts, skipped = encode_collection(mixed, cache=tmp_path / "cache")
    assert sum(one.encoded for one in counts) == 7
    assert len(skipped) == 5
    captions = tmp_path / "captions.csv"
    captions.write_text("path,text\n" + "mixed/0.png,a cross\nmixed/0.png,two lines\n" * 3)
    (count,), _ = encode_collection(captions, cache=tmp_path / "other")
    assert (count.encoded, count.cached) == (1, 0)
    with pytest.raises(ItemError, match=r"broken\.png"):
        encode_collection(mixed, cache=tmp_path / "cache", strict=True)
    (tmp_path / "void").mkdir()
    with pytest.raises(NothingUsableError, match="holds no item"):
        encode_collection(tmp_path / "void")
    with pytest.raises(InputError, match="does not exist"):
        encode_collection(tmp_path / "gone")


def test_an_unknown_engine_is_said(mixed: Path, shapes: Path, saved: Path, tmp_path: Path) -> None:
    told = r"no engine is called 'rya' \(known: local, ray\)"
    with pytest.raises(InputError, match=told):
        encode_collection(mixed, cache=tmp_path, engine="rya")
    with pytest.raises(InputError, match=told):
        textanchor.embed_collection(textanchor.load(saved), mixed, tmp_path / "v.parquet", engine="rya")
    with pytest.raises(InputError, match=told):
        textanchor.fit(shapes, aligner="ridge", engine="rya")


def test_a_small_table_is_read_once_and_a_large_one_twice(mixed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from textanchor.collections import surveying as module

    reads = []
    iterate = module.iterate_collection
    monkeypatch.setattr(module, "iterate_collection", lambda *given, **how: reads.append(1) or iterate(*given, **how))
    encode_collection(mixed, cache=tmp_path / "cache")
    assert len(reads) == 1
    monkeypatch.setattr(module, "KEPT", 3)
    tallies, skipped = encode_collection(mixed, cache=tmp_path / "other")
    assert len(reads) == 3, "counted, and gone through once, however many modalities there are"
    assert sum(tally.encoded for tally in tallies) == 7
    assert len(skipped) == 5


def test_batches_hold_one_modality_each(mixed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from textanchor.collections import surveying as module

    monkeypatch.setattr(module, "BATCH", 2)
    contents = survey(mixed)
    batches = list(contents.batches())
    assert all(len({item.modality for item in batch}) == 1 and len(batch) <= 2 for batch in batches)
    for modality, count in contents.counts.items():
        own = [item for batch in batches for item in batch if item.modality == modality]
        assert own == list(contents.items(modality))
        assert len(own) == count


def test_progress_is_one_bar_for_the_whole_collection(mixed: Path, saved: Path, tmp_path: Path) -> None:
    shown = Recorded()
    encode_collection(mixed, cache=tmp_path / "cache", progress=shown)
    assert shown.totals == [8]
    assert shown.advanced == 8
    assert shown.counts == {"new": 7, "cached": 0, "skipped": 2}
    shown = Recorded()
    textanchor.embed_collection(textanchor.load(saved), mixed, tmp_path / "v.parquet", progress=shown, cache=tmp_path / "cache")
    assert shown.totals == [9]
    assert shown.advanced == 9


class Recorded:
    """Progress that remembers what it was told."""

    def __init__(self) -> None:
        self.totals: list[int | None] = []
        self.advanced = 0
        self.counts: dict[str, int] = {}

    @contextmanager
    def bar(self, what: str, *, total: int | None = None, unit: str = "item") -> Iterator[Any]:
        self.totals.append(total)
        yield self

    def advance(self, count: int = 1) -> None:
        self.advanced += count

    def note(self, **counts: int) -> None:
        self.counts = counts
