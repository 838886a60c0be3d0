"""How everything grows: `python benchmarks/scale.py [--parts store embed fit doctor search] [--sizes 10000 100000 1000000]`.

Each measure runs in a process of its own and gives seconds of wall and of both cores together, and peak memory. Data are
synthetic and said so: latents of 768 normal numbers around the mean of their text (fit, doctor), 8 numbers a key (store), a
hash stretched to 384 numbers for an encoder (embed), 384 normal numbers (search). `fit` is the default, with 10 names and
with a caption each. The exponent is the slope of a line through all sizes on logarithmic axes: 1 is linear. Prints
Markdown.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from scale_search import Figures, embedding, exponent, measured, peak, searching

LATENT, ANCHOR, SHARD = 768, 384, 2048


def opening(size: int, folder: Path) -> Figures:
    """Opening a store of `size` keys in shards of 2048, and one look-up; in a process that did not write it."""
    from textanchor.encoders import Output
    from textanchor.latents.store import opened

    output = Output(name="", dim=8, fingerprint="f" * 64)
    subprocess.run([sys.executable, __file__, "--fill", str(size), str(folder)], check=True)
    before = peak()
    key = f"{size // 2:064x}"
    start = time.perf_counter()
    assert key in opened(folder).find(output, [key])
    first = time.perf_counter() - start
    start = time.perf_counter()
    for number in range(100):
        opened(folder).find(output, [f"{number * size // 100:064x}"])
    return {
        "open and look up": first,
        "a look-up": (time.perf_counter() - start) / 100,
        "bytes a key": (peak() - before) * 1e9 / size,
    }


def filled(size: int, folder: Path) -> None:
    """Write the store."""
    from textanchor.encoders import Output
    from textanchor.latents.store import opened

    output = Output(name="", dim=8, fingerprint="f" * 64)
    row = np.zeros(8, np.float32)
    for start in range(0, size, SHARD):
        opened(folder).put(output, {f"{number:064x}": row for number in range(start, min(start + SHARD, size))})


def paired(size: int, texts: int, *, seed: int) -> Any:
    """So many items with one of so many texts each."""
    from textanchor.records import PairedLatents, Pooled
    from textanchor.views import unit

    rng = np.random.default_rng(0)  # texts and their items' means are the same for every side
    anchors = unit(rng.standard_normal((texts, ANCHOR), dtype=np.float32) + 1)
    lift = rng.standard_normal((ANCHOR, LATENT), dtype=np.float32)
    draw = np.random.default_rng(seed)
    own = draw.integers(texts, size=size) if texts < size else np.arange(size)
    latents = anchors[own] @ lift
    latents += 1.5 * float(latents.std()) * draw.standard_normal((size, LATENT), dtype=np.float32)
    used, place = np.unique(own, return_inverse=True)
    names = tuple(f"{seed} {number}" for number in range(size))
    return PairedLatents(
        modality="image",
        items=Pooled(vectors=latents, ids=names, contents=names, fingerprint="synthetic"),
        texts=tuple(f"text {number}" for number in used),
        anchors=anchors[used],
        edges=np.stack([np.arange(size), place], axis=1),
        weights=np.ones(size, np.float32),
        groups=names,
    )


def fitting(size: int, folder: Path, texts: str = "10") -> Figures:
    """The default fit of `size` pairs: 70 % train, 10 % validation."""
    from textanchor.aligners import aligner
    from textanchor.records import Task

    count = int(texts) or size
    train, val = paired(int(size * 0.7), count, seed=1), paired(int(size * 0.1), count, seed=2)
    wall, work = time.perf_counter(), time.process_time()
    fit = aligner("auto").fit(Task(train=train, val=val))
    return {
        "seconds": time.perf_counter() - wall,
        "CPU seconds": time.process_time() - work,
        "validation score": fit.choice.score or 0.0,
        "peak GB": peak(),
    }


def diagnosing(size: int, folder: Path) -> Figures:
    """The doctor's checks of one modality on cached latents."""
    from scale_doctor import measured as looked

    return looked(size)


MEASURES: dict[str, Callable[..., Figures]] = {
    "store": opening,
    "embed": embedding,
    "fit": fitting,
    "doctor": diagnosing,
    "search": searching,
}
VARIANTS: dict[str, Sequence[str]] = {"fit": ("10", "0")}  # number of texts, 0 for one an item


def main() -> None:
    """Print a table a measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--parts", nargs="+", choices=list(MEASURES), default=list(MEASURES))
    given = parser.parse_args()
    for name in given.parts:
        for variant in VARIANTS.get(name, ("",)):
            titles = {"10": ", 10 texts", "0": ", a text an item"}
            table(f"{name}{titles.get(variant, '')}", name, given.sizes, variant)


def table(title: str, name: str, sizes: Sequence[int], variant: str) -> None:
    """Rows by size, and the growth of each figure."""
    rows = []
    for size in sizes:
        rows.append(measured(__file__, name, size, *([variant] if variant else [])))
        if len(rows) == 1:
            print(f"\n### {title}\n\n| items | {' | '.join(rows[0])} |\n|---|{'---|' * len(rows[0])}", flush=True)
        print(f"| {size:,} | {' | '.join(f'{value:.4g}' for value in rows[-1].values())} |", flush=True)
    if len(sizes) > 1:
        slopes = [exponent(sizes, [row[key] for row in rows]) for key in rows[0]]
        print(f"| exponent | {' | '.join(f'{slope:.2f}' for slope in slopes)} |", flush=True)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--one"]:
        with tempfile.TemporaryDirectory() as work:
            print(json.dumps(MEASURES[sys.argv[2]](int(sys.argv[3]), Path(work), *sys.argv[4:])))
    elif sys.argv[1:2] == ["--fill"]:
        filled(int(sys.argv[2]), Path(sys.argv[3]))
    else:
        main()
