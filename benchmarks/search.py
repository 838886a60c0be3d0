"""What search costs beside bare libraries: `python benchmarks/search.py CAPTIONS [--sizes 10000 100000 1000000]`.

CAPTIONS is a table whose column `text` holds sentences; some are embedded by the default anchor. A gallery is these real
vectors drawn with replacement, each with noise of half its length added and brought back to length 1, because nobody has a
million captions here; queries are other captions, as they are. Each size runs in a process of its own with one thread. Bare
FAISS searches the very index that ours has built, with the same parameters. Rounds are interleaved and their order is turned
round each time; of one query the median is taken, of a batch the quickest round, because other work may go on beside.
Graphs are built up to `--graphs` vectors only: a larger one takes one thread the better part of an hour.
"""

from __future__ import annotations

import os

for _library in ("OMP", "OPENBLAS", "MKL"):
    os.environ[f"{_library}_NUM_THREADS"] = "1"

import argparse  # noqa: E402 - threads must be said before numpy is imported
import csv  # noqa: E402
import json  # noqa: E402
import subprocess  # noqa: E402
import sys  # noqa: E402
import tempfile  # noqa: E402
import time  # noqa: E402
from collections.abc import Callable  # noqa: E402
from pathlib import Path  # noqa: E402
from statistics import median  # noqa: E402
from typing import Any  # noqa: E402

import numpy as np  # noqa: E402

TEXTS, BATCH, K, NOISE = 4000, 64, 10, 0.5
SPECS = ("exact", "faiss", "faiss(kind=ivf-sq8)", "faiss(kind=hnsw)")
Ask = Callable[[np.ndarray], Any]


def embedded(captions: Path) -> np.ndarray:
    """Vectors of distinct captions, evenly drawn."""
    from textanchor.encoders.making import make
    from textanchor.runtime import Runtime

    with captions.open(newline="", encoding="utf-8") as stream:
        texts = list(dict.fromkeys(row["text"] for row in csv.DictReader(stream)))
    drawn = texts[:: max(1, len(texts) // TEXTS)][:TEXTS]
    encoder = make("st:all-MiniLM-L6-v2", "text", Runtime(device="cpu"))
    parts = [encoder.encode(drawn[start : start + 32]) for start in range(0, len(drawn), 32)]
    return np.concatenate([np.asarray(part, dtype=np.float32) for part in parts])


def unit(vectors: np.ndarray) -> np.ndarray:
    """Rows of length 1."""
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def resampled(real: np.ndarray, size: int) -> np.ndarray:
    """So many vectors near real ones, piece by piece to save memory."""
    rng = np.random.default_rng(0)
    gallery = np.empty((size, real.shape[1]), dtype=np.float32)
    for start in range(0, size, 50_000):
        some = gallery[start : start + 50_000]
        noise = unit(rng.standard_normal(some.shape, dtype=np.float32))
        some[:] = unit(real[rng.integers(0, len(real), len(some))] + NOISE * noise)
    return gallery


def bare(backend: Any) -> Ask:
    """FAISS itself on the index of a backend."""
    parameters = backend._parameters(K)
    return lambda queries: backend._index.search(queries, K, params=parameters)


def with_numpy(gallery: np.ndarray) -> Ask:
    """The few lines that one writes without a library."""

    def ask(queries: np.ndarray) -> Any:
        scores = queries @ gallery.T
        best = np.argpartition(scores, -K, axis=1)[:, -K:]
        order = np.argsort(-np.take_along_axis(scores, best, 1), axis=1)
        return np.take_along_axis(best, order, 1)

    return ask


def with_usearch(gallery: np.ndarray) -> tuple[Ask, int, float]:
    """A graph of usearch with FAISS's number of links and as many rows in view."""
    from usearch.index import Index

    index = Index(ndim=gallery.shape[1], metric="ip", dtype="f32", connectivity=32, expansion_search=128)
    start = time.perf_counter()
    index.add(np.arange(len(gallery)), gallery, threads=1)
    return lambda queries: index.search(queries, K, threads=1).keys, int(index.memory_usage), time.perf_counter() - start


def measured(real: np.ndarray, size: int, graphs: int) -> list[dict[str, Any]]:
    """A row a contender: milliseconds of one query and of a batch, share of true neighbours, bytes a vector, build seconds."""
    import faiss

    from textanchor.collections import make_backend

    faiss.omp_set_num_threads(1)
    queries, gallery = np.ascontiguousarray(real[::16][:BATCH]), resampled(np.delete(real, np.s_[::16], axis=0), size)
    asks: dict[str, Ask] = {"numpy": with_numpy(gallery)}
    built: dict[str, tuple[float, float]] = {"numpy": (gallery.nbytes / size, 0.0)}
    for spec in SPECS if size <= graphs else SPECS[:-1]:
        backend: Any = make_backend(spec)
        start = time.perf_counter()
        backend.build(gallery)
        asks[spec] = lambda some, ours=backend: ours.top(some, K)
        built[spec] = (backend.size / size, time.perf_counter() - start)
        if spec != "exact":
            asks[f"bare {spec}"], built[f"bare {spec}"] = bare(backend), built[spec]
    if size <= graphs:
        asks["usearch"], memory, seconds = with_usearch(gallery)
        built["usearch"] = (memory / size, seconds)
    singles = in_turns(asks, [queries[row : row + 1] for row in range(BATCH)], warm=True)
    rolled = [np.roll(queries, turn, axis=0) for turn in range(4 if size >= 10**6 else 8)]
    batches = in_turns(asks, rolled, warm=False)
    truth = np.argsort(-(queries @ gallery.T), axis=1)[:, :K] if size <= 10**5 else np.asarray(asks["exact"](queries)[1])
    return [
        {
            "vectors": size,
            "contender": name,
            "one ms": 1e3 * median(singles[name]),
            "64 ms": 1e3 * min(batches[name]),
            "recall@10": recall(asks[name](queries), truth),
            "bytes a vector": round(built[name][0]),
            "build s": built[name][1],
        }
        for name in asks
    ]


def in_turns(asks: dict[str, Ask], given: list[np.ndarray], *, warm: bool) -> dict[str, list[float]]:
    """Seconds of each contender for each of the given queries, `warm` right after the query before, unmeasured: else who comes
    second on one index finds it, and FAISS's own code, in the processor's caches."""
    taken: dict[str, list[float]] = {name: [] for name in asks}
    for turn, queries in enumerate(given):
        for name, ask in list(asks.items())[:: 1 - 2 * (turn % 2)]:
            if warm or not turn:
                ask(given[turn - 1])
            start = time.perf_counter()
            ask(queries)
            taken[name].append(time.perf_counter() - start)
    return taken


def recall(found: Any, truth: np.ndarray) -> float:
    """Share of the true ten that were found."""
    rows = np.asarray(found[1] if isinstance(found, tuple) else found)
    return float(np.mean([len(set(one) & set(other)) / K for one, other in zip(rows.tolist(), truth.tolist(), strict=True)]))


def shown(rows: list[dict[str, Any]]) -> None:
    """A table, with the ratio to bare FAISS: on the same index, or for what compares everything on the flat one."""
    print("| vectors | | one query, ms | times bare | 64 queries, ms | times bare | recall@10 | bytes a vector | build s |")
    print("|---|---|---|---|---|---|---|---|---|")
    by_name = {(row["vectors"], row["contender"]): row for row in rows}
    for row in rows:
        name = row["contender"]
        other = {"exact": "bare faiss", "numpy": "bare faiss", "usearch": "bare faiss(kind=hnsw)"}.get(name, f"bare {name}")
        beside = by_name.get((row["vectors"], other))
        one, many = (f"{row[key] / beside[key]:.2f}" if beside else "" for key in ("one ms", "64 ms"))
        figures = f"{row['one ms']:.2f} | {one} | {row['64 ms']:.1f} | {many} | {row['recall@10']:.3f}"
        print(f"| {row['vectors']} | `{name}` | {figures} | {row['bytes a vector']} | {row['build s']:.1f} |")


def main() -> None:
    """Embed once, then a process a size."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("captions", type=Path)
    parser.add_argument("--sizes", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--graphs", type=int, default=100_000)
    parser.add_argument("--vectors", type=Path, help=argparse.SUPPRESS)
    told = parser.parse_args()
    if told.vectors:
        print(json.dumps(measured(np.load(told.vectors), told.sizes[0], told.graphs)))
        return
    with tempfile.TemporaryDirectory() as folder:
        vectors = Path(folder) / "real.npy"
        np.save(vectors, embedded(told.captions))
        rows = []
        for size in told.sizes:
            again = [sys.executable, __file__, str(told.captions), "--vectors", str(vectors), "--sizes", str(size)]
            done = subprocess.run([*again, "--graphs", str(told.graphs)], check=True, stdout=subprocess.PIPE, text=True)
            rows += json.loads(done.stdout)
    print(f"galleries: vectors of {TEXTS} real captions less the queries, resampled with noise of half their length")
    shown(rows)


if __name__ == "__main__":
    main()
