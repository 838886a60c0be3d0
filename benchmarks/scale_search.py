"""How search and embedding grow with a collection: `python benchmarks/scale_search.py [--sizes 10000 100000 1000000]`.

Search: one sentence among so many synthetic image vectors of 384 dimensions, under a view with a correction of hubness, in
a process that is warm: seconds of the whole, of the index's own `top`, and what the rest adds. Embedding: so many tiny
texts in a table through a cheap encoder (a hash stretched to 384 numbers, said so) into a Parquet file, with an empty
cache. Each size runs in a process of its own; the growth exponent is the slope of a line through all sizes on
logarithmic axes, 1 being linear.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

DIM, REPEATS = 384, 15
Figures = dict[str, float]


class Hashing:
    """A cheap encoder of texts: the text's hash, stretched."""

    modality, dim, name = "text", DIM, "hashing"
    fingerprint = hashlib.sha256(b"scale-search hashing").hexdigest()

    def encode(self, batch: Sequence[str]) -> np.ndarray:
        """A row a text. *Shape:* [n, 384]."""
        raw = b"".join(hashlib.sha512(text.encode()).digest() for text in batch)
        numbers = np.frombuffer(raw, dtype=np.uint8).reshape(len(batch), 64).astype(np.float32)
        return np.tile(numbers / 127.5 - 1, (1, DIM // 64))


def hashing_space(folder: Path, modalities: Any = None) -> Any:
    """A space whose anchor is the cheap encoder."""
    from textanchor.runtime import Runtime
    from textanchor.space import Space

    encoder = Hashing()
    runtime = Runtime(cache=folder / "cache", device="cpu")
    space = Space(anchor="hashing", anchor_fingerprint=encoder.fingerprint, modalities=modalities or {}, runtime=runtime)
    space.adopt("text", encoder)
    return space


def searching(size: int, folder: Path, index: str = "exact") -> Figures:
    """Seconds of one warm search among `size` vectors, of the index alone, and of all else."""
    from textanchor.collections import Index, search
    from textanchor.collections.holding import InMemory
    from textanchor.projectors import Kept
    from textanchor.projectors.linear import Linear
    from textanchor.records import Choice, Item
    from textanchor.space import Fitted
    from textanchor.views import unit, view, with_hubness

    rng = np.random.default_rng(0)
    vectors = rng.standard_normal((size, DIM), dtype=np.float32)
    bank = {"items": vectors[:5000], "anchors": unit(rng.standard_normal((5000, DIM), dtype=np.float32))}
    seen = with_hubness(view("centring", targets=bank["items"], **bank), "csls", **bank)
    projector = Linear(dim_in=DIM, dim_out=DIM)
    fitted = Fitted(encoder="none", fingerprint="none", projector=Kept.of(projector), view=seen, choice=Choice())
    space = hashing_space(folder, {"image": fitted})
    items = tuple(Item(id=str(row), modality="image") for row in range(size))
    built = Index(geometry=space.geometry, holding=InMemory(all_items=items, vectors=vectors), backend=index)
    start = time.perf_counter()
    search(space, "warm up", built)
    first = time.perf_counter() - start
    (gallery,) = built._galleries.values()
    own: list[float] = []
    gallery.top = _timed(gallery.top, own)
    whole: list[float] = []
    for repeat in range(REPEATS):
        start = time.perf_counter()
        search(space, f"sentence {repeat}", built)
        whole.append(time.perf_counter() - start)
    added = median(everything - index_alone for everything, index_alone in zip(whole, own, strict=True))
    return {
        "first search": first,
        "warm search": median(whole),
        "index alone": median(own),
        "added": added,
        "peak GB": peak(),
    }


def embedding(size: int, folder: Path) -> Figures:
    """Seconds and peak memory of embedding a table of `size` texts into Parquet."""
    from textanchor.collections import embed_collection

    table = folder / "texts.csv"
    with table.open("w", newline="") as stream:
        rows = csv.writer(stream)
        rows.writerow(("item_text",))
        rows.writerows((f"text number {row}",) for row in range(size))
    space = hashing_space(folder)
    start = time.perf_counter()
    embed_collection(space, table, folder / "vectors.parquet")
    return {"embed": time.perf_counter() - start, "peak GB": peak()}


MEASURES: dict[str, Callable[..., Figures]] = {"search": searching, "embed": embedding}


def exponent(sizes: Sequence[int], values: Sequence[float]) -> float:
    """The slope of the line through all sizes on logarithmic axes."""
    return float(np.polyfit(np.log(sizes), np.log(np.maximum(values, 1e-9)), 1)[0])


def _timed(call: Callable[..., Any], seconds: list[float]) -> Callable[..., Any]:
    def timed(*given: Any) -> Any:
        start = time.perf_counter()
        answer = call(*given)
        seconds.append(time.perf_counter() - start)
        return answer

    return timed


def peak() -> float:
    """Peak memory of this process so far, in GB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6


def measured(script: str, name: str, size: int, *more: str) -> Figures:
    """One of a script's measures in a process of its own."""
    answer = subprocess.check_output([sys.executable, script, "--one", name, str(size), *more], text=True)
    figures: Figures = json.loads(answer.splitlines()[-1])
    return figures


def main() -> None:
    """Print a table a measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--index", default="exact")
    given = parser.parse_args()
    for name in MEASURES:
        more = (given.index,) if name == "search" else ()
        found = [measured(__file__, name, size, *more) for size in given.sizes]
        print(f"\n{name} {' '.join(more)}\n{'items':>12}" + "".join(f"{key:>16}" for key in found[0]))
        for size, figures in zip(given.sizes, found, strict=True):
            print(f"{size:12,}" + "".join(f"{value:16.4f}" for value in figures.values()))
        if len(given.sizes) > 1:
            slopes = [exponent(given.sizes, [figures[key] for figures in found]) for key in found[0]]
            print(f"{'exponent':>12}" + "".join(f"{slope:16.2f}" for slope in slopes))


if __name__ == "__main__":
    if sys.argv[1:2] == ["--one"]:
        with tempfile.TemporaryDirectory() as work:
            print(json.dumps(MEASURES[sys.argv[2]](int(sys.argv[3]), Path(work), *sys.argv[4:])))
    else:
        main()
