"""Collections that stay: what sync does with what changed, what readers see, what a crash or a flipped bit leaves."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import textwrap
import threading
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from conftest import picture
from textanchor import Collection, search
from textanchor.collections.storing import shrinking, vector_files
from textanchor.collections.storing.schema import NAME
from textanchor.errors import DamagedError, InputError, NothingUsableError

Run = Callable[..., Any]


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    for kind in ("circle", "cross", "stripes"):
        (folder / kind).mkdir(parents=True)
        for seed in range(3):
            picture(kind, seed).save(folder / kind / f"{seed}.png")
    old(folder)
    return folder


def old(folder: Path) -> None:
    """As if nothing had been written for a minute: what was changed just now is read again."""
    for path in [*folder.rglob("*"), folder]:
        if path.is_file():
            past = path.stat().st_mtime - 60
            os.utime(path, (past, past))


@pytest.fixture
def kept(tmp_path: Path, space: Any, photos: Path) -> Collection:
    collection = Collection(tmp_path / "kept", create=True)
    collection.add(space, photos)
    return collection


def ids(collection: Collection) -> set[str]:
    return {one.id for one in collection.items()}


def adds_up(report: Any) -> bool:
    return report.seen == report.indexed + report.unchanged + report.skipped + report.removed


def test_sync_takes_what_changed_and_nothing_else(kept: Collection, space: Any, photos: Path, monkeypatch: Any) -> None:
    (same,) = kept.sync(space)
    assert (same.unchanged, same.seen) == (9, 9)
    read = []
    stream = type(space).stream
    monkeypatch.setattr(type(space), "stream", lambda self, items, *a, **k: read.extend(items) or stream(self, items, *a, **k))
    picture("square", 5).save(photos / "circle" / "0.png")  # changed
    picture("square", 6).save(photos / "new.png")
    (photos / "broken.png").write_bytes(b"no image")
    (photos / "cross" / "1.png").unlink()
    os.utime(photos / "cross" / "2.png")  # touched
    (report,) = kept.sync(space)
    assert sorted(item.id for item in read) == ["broken.png", "circle/0.png", "cross/2.png", "new.png"]
    counts = (report.new, report.changed, report.unchanged, report.skipped, report.removed)
    assert counts == (1, 1, 7, 1, 1)
    assert adds_up(report)
    assert [one.item for one in report.left_out] == ["broken.png"]
    assert ids(kept) == {f"{kind}/{seed}.png" for kind in ("circle", "cross", "stripes") for seed in range(3)} - {
        "cross/1.png"
    } | {"new.png"}
    old(photos)
    kept.sync(space)
    read.clear()
    (again,) = kept.sync(space)
    assert not read, "nothing is read that has not moved, not even what could not be read"
    assert (again.unchanged, again.skipped) == (9, 1)
    np.testing.assert_allclose(vector(kept, space, "circle/0.png"), space.embed(photos / "circle" / "0.png")[0], atol=1e-6)


def vector(kept: Collection, space: Any, name: str) -> np.ndarray:
    index = kept.index(space)
    for modality in index.modalities:
        for place in index.holding.filled(modality):
            if index.holding.items(modality, [int(place)])[0].id == name:
                return np.asarray(index.holding.raw(modality)[place])
    raise KeyError(name)


def test_a_search_in_a_collection_is_one_in_its_folder(kept: Collection, space: Any, photos: Path) -> None:
    for query in ("circle", photos / "cross" / "0.png"):
        stored, anew = search(space, query, kept, k=9), search(space, query, photos, k=9)
        assert [hit.id for hit in stored] == [hit.id for hit in anew]
        np.testing.assert_allclose([hit.score for hit in stored], [hit.score for hit in anew], atol=1e-5)
        assert [hit.path for hit in stored] == [hit.path for hit in anew]
    assert search(space, "circle", kept.folder, k=3) == search(space, "circle", kept, k=3)
    assert space.search("circle", kept.folder, k=3) == search(space, "circle", kept, k=3)


def test_a_text_query_never_sees_an_item_that_was_removed(kept: Collection, space: Any) -> None:
    first = search(space, "circle", kept)[0]
    kept.remove(ids=[first.id])
    assert first.id not in [hit.id for hit in search(space, "circle", kept, k=99)]
    assert len(search(space, "circle", kept, k=99)) == 8
    kept.sync(space)
    assert search(space, "circle", kept)[0].id == first.id, "it comes back, because its place still holds it"


def test_fields_of_a_table_filter_hits(tmp_path: Path, space: Any, photos: Path) -> None:
    rows = [f"photos/{kind}/{seed}.png,{kind},{2000 + seed}" for kind in ("circle", "cross") for seed in range(3)]
    (tmp_path / "table.csv").write_text("\n".join(["path,label,year", *rows]))
    kept = Collection(tmp_path / "kept", create=True)
    kept.add(space, tmp_path / "table.csv")
    for place in (kept, tmp_path / "table.csv"):
        hits = search(space, "circle", place, k=9, where="year >= 2001 and label = 'circle'")
        assert sorted(hit.id for hit in hits) == ["photos/circle/1.png", "photos/circle/2.png"]
        assert hits.total == 2
        assert dict(hits[0].fields)["label"] == "circle"
    (tmp_path / "table.csv").write_text("\n".join(["path,label,year", *rows]).replace("2002", "1990"))
    (report,) = kept.sync(space)
    assert report.unchanged == 6, "only a field is another"
    assert len(search(space, "circle", kept, where="year = 1990")) == 2


def test_archives_and_cells_hold_items(tmp_path: Path, space: Any, photos: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        for file in sorted(photos.rglob("*.png")):
            archive.write(file, file.relative_to(photos))
    raw = [file.read_bytes() for file in sorted(photos.rglob("*.png"))]
    pq.write_table(pa.table({"image": raw, "label": ["x"] * 9}), tmp_path / "cells.parquet")
    kept = Collection(tmp_path / "kept", create=True)
    reports = kept.add(space, tmp_path / "all.zip", tmp_path / "cells.parquet", photos / "circle" / "0.png")
    assert [report.new for report in reports] == [9, 9, 1]
    hits = search(space, "circle", kept, k=19, collapse=1.0)
    assert max(len(hit.duplicates) for hit in hits) == 2, "the same picture in three places is shown once"
    assert sum(1 + len(hit.duplicates) for hit in hits) == 19
    hit = search(space, "circle", kept, where="path is missing")[0]
    assert hit.item.value.read() == raw[0] or hit.item.value.read() in raw
    assert sum(report.unchanged for report in kept.sync(space)) >= 1


def test_items_that_python_holds_stay(tmp_path: Path, space: Any) -> None:
    kept = Collection(tmp_path / "kept", create=True)
    kept.add(space, [picture("circle", 1), picture("cross", 2)])
    kept.add(space, ["a sentence"])
    assert kept.counts == {"image": 2, "text": 1}
    assert kept.sync(space) == ()
    assert len(search(space, "circle", kept)) == 3


def test_a_place_that_cannot_be_listed_loses_nothing(kept: Collection, space: Any, photos: Path, monkeypatch: Any) -> None:
    real = os.scandir

    def scandir(place: str) -> Any:
        if str(place).rstrip("/").endswith("cross"):
            raise PermissionError(13, "Permission denied")
        return real(place)

    monkeypatch.setattr(os, "scandir", scandir)
    (report,) = kept.sync(space)
    assert (report.removed, report.unchanged) == (0, 9)
    monkeypatch.undo()
    for file in photos.rglob("*.png"):
        file.unlink()
    with pytest.raises(NothingUsableError, match="holds no item"):
        kept.sync(space)
    assert len(ids(kept)) == 9, "an empty disk empties no collection"


def test_two_spaces_may_share_a_collection(kept: Collection, space: Any, shapes: Path) -> None:
    import textanchor

    other = textanchor.fit(shapes / "image", aligner="ridge(alpha=10)")
    with pytest.raises(InputError, match="its vectors are of another space; bring it up to date"):
        kept.index(other)
    (report,) = kept.sync(other)
    assert report.unchanged == 9
    assert [hit.id for hit in search(other, "circle", kept)] == [
        hit.id for hit in search(other, "circle", next(iter(kept.places)))
    ]
    assert len(kept.facts.vectors) == 2


def test_readers_see_the_old_state_or_the_new(kept: Collection, space: Any, photos: Path) -> None:
    seen: set[int] = set()
    stop = threading.Event()
    failed: list[BaseException] = []

    def read() -> None:
        mine = Collection(kept.folder)
        try:
            while not stop.is_set():
                hits = search(space, "circle", mine, k=99)
                seen.add(len(hits))
        except BaseException as why:
            failed.append(why)

    readers = [threading.Thread(target=read) for _ in range(3)]
    for reader in readers:
        reader.start()
    for seed in range(20, 32):
        picture("square", seed).save(photos / f"{seed}.png")
    kept.sync(space)
    for seed in range(20, 32):
        (photos / f"{seed}.png").unlink()
    kept.sync(space)
    time.sleep(0.05)
    stop.set()
    for reader in readers:
        reader.join()
    assert not failed
    assert seen <= {9, 21}


KILLED = """
import os, signal, sys
from textanchor import Collection
from textanchor import database
from textanchor.collections.storing import vector_files
from textanchor.space.storage import load
calls, at = 0, int(sys.argv[3])
def counted(real):
    def call(*a, **k):
        global calls
        calls += 1
        if calls == at:
            os.kill(os.getpid(), signal.SIGKILL)
        return real(*a, **k)
    return call
database.Database.ask = counted(database.Database.ask)
vector_files.Appending.add = counted(vector_files.Appending.add)
vector_files.Appending.close = counted(vector_files.Appending.close)
space, kept = load(sys.argv[1]), Collection(sys.argv[2])
{what}
print("done", calls)
"""


@pytest.mark.parametrize("what", ["kept.sync(space)", "kept.remove(places=list(kept.places))"])
def test_a_kill_leaves_the_old_state_or_the_new(
    kept: Collection, space: Any, saved: Path, photos: Path, what: str, tmp_path: Path
) -> None:
    before = ids(kept)
    for seed in range(20, 24):
        picture("square", seed).save(photos / f"{seed}.png")
    (photos / "cross" / "1.png").unlink()
    after = (before | {f"{seed}.png" for seed in range(20, 24)}) - {"cross/1.png"} if "sync" in what else set()
    script = tmp_path / "script.py"
    script.write_text(KILLED.replace("{what}", what))
    kept.close()
    outcomes = set()
    for at in (3, 8, 14, 25, 31, 36, 41, 46, 10_000):
        done = subprocess.run(
            [sys.executable, script, str(saved), str(kept.folder), str(at)], capture_output=True, text=True, check=False
        )
        assert done.returncode in (0, -signal.SIGKILL), done.stderr
        opened = Collection(kept.folder)
        assert ids(opened) in (before, after)
        assert not opened.verify()
        if found := ids(opened):
            assert len(search(space, "circle", opened, k=99)) == len(found)
        outcomes.add(done.returncode)
        opened.close()
        if done.returncode == 0:
            assert found == after
            break
    assert outcomes == {0, -signal.SIGKILL}


def test_a_full_disk_changes_nothing(kept: Collection, space: Any, photos: Path, monkeypatch: Any) -> None:
    before = ids(kept)
    picture("square", 9).save(photos / "more.png")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(vector_files.Appending, "add", full)
    with pytest.raises(OSError, match="No space left"):
        kept.sync(space)
    monkeypatch.undo()
    assert ids(Collection(kept.folder)) == before
    pages = sqlite3.connect(kept.folder / NAME).execute("PRAGMA page_count").fetchone()[0]
    kept.catalogue.ask(f"PRAGMA max_page_count = {pages}")
    for number in range(400):
        (photos / f"{'n' * 150}{number}.xyz").write_bytes(b"?")
        picture("square", number).save(photos / f"{'n' * 150}{number}.png")
    with pytest.raises(InputError, match="full; nothing was changed"):
        kept.sync(space)
    assert ids(Collection(kept.folder)) == before


def test_a_flipped_bit_is_named_and_mended(kept: Collection, space: Any, run: Run, saved: Path) -> None:
    expected = search(space, "circle", kept, k=9)
    (file,) = (kept.folder / "vectors").iterdir()
    content = bytearray(file.read_bytes())
    content[100] ^= 4
    file.write_bytes(content)
    (damage,) = kept.verify()
    assert (damage.file, damage.items, damage.reason) == (file.name, 9, "its sha256 differs")
    told = run("collection", "verify", kept.folder)
    assert told.exit_code == 1
    assert file.name in told.stdout
    mended = run("collection", "verify", kept.folder, "--repair", "--space", saved)
    assert mended.exit_code == 0, mended.stderr
    again = Collection(kept.folder)
    assert not again.verify()
    assert search(space, "circle", again, k=9) == expected
    (file,) = (kept.folder / "vectors").iterdir()
    file.unlink()
    assert Collection(kept.folder).verify()[0].reason == f"{file} is missing"


def test_room_is_given_back(kept: Collection, space: Any, photos: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr(shrinking, "FEW", 1)
    expected = {hit.id for hit in search(space, "circle", kept, k=99) if "circle" in hit.id}
    for file in photos.rglob("*.png"):
        if "circle" not in str(file):
            file.unlink()
    kept.sync(space)
    (file,) = (kept.folder / "vectors").iterdir()
    assert file.stat().st_size == 3 * space.dim * 4
    assert {hit.id for hit in search(space, "circle", kept, k=99)} == expected
    assert not kept.verify()


@pytest.mark.parametrize("backend", ["faiss(kind=hnsw)", "exact(block=2)"])
def test_another_backend_is_kept_and_follows_changes(kept: Collection, space: Any, photos: Path, backend: str) -> None:
    pytest.importorskip("faiss")
    kept.use(backend)
    assert Collection(kept.folder).backend == backend
    first = search(space, "circle", kept, k=99)
    (photos / "cross" / "1.png").unlink()
    picture("circle", 40).save(photos / "new.png")
    kept.sync(space)
    hits = search(space, "circle", Collection(kept.folder), k=99)
    assert {hit.id for hit in hits} == {hit.id for hit in first} - {"cross/1.png"} | {"new.png"}
    with pytest.raises(InputError, match="no index is called"):
        kept.use("nowhere")


def test_bad_places_get_a_plain_answer(kept: Collection, space: Any, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "file").write_text("x")
    with pytest.raises(InputError, match="exists and is no collection"):
        Collection(tmp_path / "other", create=True)
    with pytest.raises(InputError, match="is no collection: it has no"):
        Collection(tmp_path / "other")
    with pytest.raises(InputError, match="does not exist"):
        kept.add(space, tmp_path / "nowhere")
    with pytest.raises(InputError, match="does not follow"):
        kept.sync(space, only=[tmp_path])
    with pytest.raises(InputError, match="holds no item 'x'"):
        kept.remove(ids=["x"])
    (tmp_path / "fake").mkdir()
    sqlite3.connect(tmp_path / "fake" / NAME).execute("CREATE TABLE x (y)")
    with pytest.raises(DamagedError, match="was not written by textanchor"):
        Collection(tmp_path / "fake")
    (tmp_path / "fake" / NAME).write_bytes(b"no database" * 1000)
    with pytest.raises(DamagedError, match="cannot be read as a collection"):
        Collection(tmp_path / "fake")
    kept.catalogue.ask("PRAGMA user_version = 99")
    with pytest.raises(DamagedError, match="upgrade: pip install -U textanchor"):
        Collection(kept.folder)


def test_a_second_writer_is_told(kept: Collection, space: Any) -> None:
    from filelock import FileLock

    with FileLock(kept.folder / ".lock"), pytest.raises(InputError, match="is being changed by another process"):
        kept.sync(space)


def test_the_command_line_keeps_a_collection(tmp_path: Path, saved: Path, photos: Path, run: Run) -> None:
    place = tmp_path / "kept"
    done = run("collection", "add", place, photos, "--space", saved, "--cache", tmp_path / "cache")
    assert done.exit_code == 0, done.stderr
    assert "seen 9 = indexed 9 + unchanged 0 + skipped 0 + removed 0" in done.stdout
    again = run("collection", "sync", place, "--json", "--cache", tmp_path / "cache")
    assert json.loads(again.stdout)["places"][0]["unchanged"] == 9
    found = json.loads(run("search", saved, "circle", "--in", place, "--json", "-k", 3, "--where", "id ~ 'c*'").stdout)
    assert len(found) == 3
    assert all(hit["item"].startswith("c") for hit in found)
    several = run("search", saved, "circle", "--in", place, "--and", "cross", "--not", "0.2*stripes")
    assert several.exit_code == 0, several.stderr
    assert json.loads(run("collection", "info", place, "--json").stdout)["items"] == {"image": 9}
    assert "image" in run("collection", "info", place).stdout
    assert len(json.loads(run("collection", "list", place, "--json", "--where", "id = 'circle/0.png'").stdout)) == 1
    assert "circle/0.png" in run("collection", "list", place).stdout
    assert run("collection", "verify", place).exit_code == 0
    assert "removed 1 items" in run("collection", "remove", place, "--item", "circle/0.png").stdout
    assert run("collection", "remove", place).exit_code == 2
    assert run("collection", "use", place, "exact(block=8)").exit_code == 0
    assert "removed 8 items" in run("collection", "remove", place, "--place", photos).stdout
    empty = run("search", saved, "circle", "--in", place)
    assert empty.exit_code == 2
    assert "it holds nothing" in empty.stderr or "another space" in empty.stderr


def test_a_sentence_is_searched_without_importing_torch(kept: Collection, space: Any, saved: Path) -> None:
    """Importing it takes longer than a search among 100,000 items."""
    expected = search(space, "circle", kept, k=3)
    code = textwrap.dedent(
        f"""
        import sys
        from textanchor.collections.searching import search
        from textanchor.space.storage import load
        print([hit.id for hit in search(load({str(saved)!r}), "circle", {str(kept.folder)!r}, k=3)])
        print([name for name in ("torch", "scipy", "sklearn", "pyarrow", "transformers") if name in sys.modules])
        """
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == [str([hit.id for hit in expected]), "[]"]


def test_a_collection_moves_to_another_space(tmp_path: Path, space: Any, shapes: Path, run: Run) -> None:
    import textanchor

    photos = tmp_path / "photos"
    photos.mkdir()
    for number in range(120):
        picture(("circle", "square", "cross", "stripes")[number % 4], 100 + number).save(photos / f"{number:03d}.png")
    old(photos)
    kept = Collection(tmp_path / "kept", create=True)
    kept.add(space, photos)
    other = textanchor.fit(shapes / "image", aligner="ridge(alpha=3)", fractions=(0.6, 0.2, 0.2), seed=3)
    truth = [hit.id for hit in search(other, "circle", photos, k=30)]
    with pytest.raises(InputError, match="a map and its judgement need 70 or more"):
        kept.upgrade(other, items=60)
    with pytest.raises(InputError, match=r"the map keeps recall@10 .* and 1\.01 is asked for"):
        kept.upgrade(other, items=100, recall=1.01)
    with pytest.raises(InputError, match="of another space"):
        search(other, "circle", kept)
    (moved,) = kept.upgrade(other, items=90, recall=0.5)
    assert (moved.encoded, moved.mapped, moved.lasting) == (90, 30, 0)
    assert moved.recall >= 0.5
    assert moved.interval is not None
    assert [one.mapped for one in kept.facts.vectors] == [0, 30]
    found = [hit.id for hit in search(other, "circle", kept, k=30)]
    assert len(set(found) & set(truth)) >= 27, "mapped vectors serve"
    assert [hit.id for hit in search(space, "circle", kept, k=5)], "the old space serves on"
    (report,) = kept.sync(other)
    assert report.unchanged == 120
    assert [one.mapped for one in kept.facts.vectors] == [0, 0]
    assert [hit.id for hit in search(other, "circle", kept, k=30)] == truth
    assert kept.forget(other) > 0
    assert len(kept.facts.vectors) == 1
    assert not kept.verify()
    new = other.save(tmp_path / "other")
    again = run("collection", "upgrade", kept.folder, "--space", new, "--items", 90)
    assert again.exit_code == 2
    assert "holds nothing of another space" in again.stderr


def test_a_collection_of_the_first_version_is_brought_up_to_date(kept: Collection, space: Any) -> None:
    expected = search(space, "circle", kept, k=9)
    kept.catalogue.ask("ALTER TABLE vectors DROP COLUMN mapped")
    kept.catalogue.ask("PRAGMA user_version = 1")
    assert search(space, "circle", Collection(kept.folder), k=9) == expected


def test_a_kill_while_moving_leaves_the_old_state_or_the_new(tmp_path: Path, space: Any, shapes: Path) -> None:
    import textanchor

    photos = tmp_path / "photos"
    photos.mkdir()
    for number in range(72):
        picture(("circle", "square", "cross", "stripes")[number % 4], 100 + number).save(photos / f"{number:03d}.png")
    kept = Collection(tmp_path / "kept", create=True)
    kept.add(space, photos)
    expected = search(space, "circle", kept, k=5)
    kept.close()
    new = textanchor.fit(shapes / "image", aligner="ridge(alpha=3)", fractions=(0.6, 0.2, 0.2)).save(tmp_path / "new")
    script = tmp_path / "script.py"
    script.write_text(KILLED.replace("{what}", "kept.upgrade(space, items=70, recall=0.0)"))
    outcomes = []
    for at in (4, 9, 30, 60, 10_000):
        done = subprocess.run(
            [sys.executable, script, str(new), str(kept.folder), str(at)], capture_output=True, text=True, check=False
        )
        outcomes.append(done.returncode)
        assert done.returncode in (0, -signal.SIGKILL), done.stderr
        opened = Collection(kept.folder)
        assert not opened.verify()
        assert search(space, "circle", opened, k=5) == expected, "the old space serves whatever happens"
        moved = [one for one in opened.facts.vectors if one.mapped]
        assert [one.mapped for one in moved] == ([2] if done.returncode == 0 else []), "all is moved, or nothing"
        opened.close()
    assert outcomes[0] == -signal.SIGKILL
    assert outcomes[-1] == 0


def test_what_a_space_has_not_encoded_is_said(kept: Collection, space: Any, shapes: Path) -> None:
    import textanchor

    kept.add(space, shapes / "audio")
    seeing = textanchor.fit(shapes / "audio", aligner="ridge(alpha=7)", into=space)
    hits = search(seeing, "circle", kept, k=99)
    assert {hit.modality for hit in hits} == {"image"}
    (left,) = kept.index(seeing).skipped
    assert (left.item, left.reason) == ("48 audio items", "not encoded in this space yet; textanchor collection sync")
    kept.sync(seeing)
    assert not kept.index(seeing).skipped


def test_a_row_that_names_another_file_of_the_same_stamp_is_read(tmp_path: Path, space: Any) -> None:
    for name, kind in (("a", "circle"), ("b", "cross")):
        picture(kind, 1).save(tmp_path / f"{name}.png")
    one, other = tmp_path / "a.png", tmp_path / "b.png"
    size = max(one.stat().st_size, other.stat().st_size)
    for file in (one, other):
        file.write_bytes(file.read_bytes() + b"\0" * (size - file.stat().st_size))
        os.utime(file, (1e9, 1e9))
    table = tmp_path / "table.csv"
    table.write_text("item,path\nx,a.png\n")
    kept = Collection(tmp_path / "kept", create=True)
    kept.add(space, table)
    table.write_text("item,path\nx,b.png\n")
    (report,) = kept.sync(space)
    assert report.changed == 1
    np.testing.assert_allclose(vector(kept, space, "x"), space.embed(other)[0], atol=1e-6)


def test_many_may_begin_one_collection_at_once(tmp_path: Path) -> None:
    begun: list[Collection] = []
    threads = [threading.Thread(target=lambda: begun.append(Collection(tmp_path / "kept", create=True))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(begun) == 8
    assert all(one.counts == {} for one in begun)
