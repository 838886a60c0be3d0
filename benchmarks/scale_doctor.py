"""How the doctor grows with a table: `python benchmarks/scale_doctor.py [--sizes 10000 100000 1000000]`.

The whole of `diagnose` on so many tiny texts as items, each with one of 100 texts; one in a thousand nearly repeats another.
Encoders are cheap and said so: an item is the mean of its class and 384 normal numbers of its own, a text a hash stretched to
384 numbers; the cache is empty. Seconds of wall and of both cores together, and peak memory, each size in a process of its own.
"""

from __future__ import annotations

import argparse
import hashlib
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from scale_search import DIM, Figures, Hashing, exponent, peak

TEXTS, DUPLICATES, ROWS = 100, 1000, 1 << 16


class Numbered:
    """A cheap encoder of `number class`: two rows of a table of 65,536 rows of normal numbers, and the class's mean."""

    modality, dim, name = "document", DIM, "numbered"
    fingerprint = hashlib.sha256(b"scale-doctor numbered").hexdigest()

    def __init__(self) -> None:
        rng = np.random.default_rng(0)
        self._numbers = rng.standard_normal((ROWS, DIM), dtype=np.float32)
        self._classes = rng.standard_normal((TEXTS, DIM), dtype=np.float32)

    def encode(self, batch: Sequence[str]) -> np.ndarray:
        """A row a text; `copy` is the item before it, hardly changed. *Shape:* [n, 384]."""
        words = [text.split() for text in batch]
        number = np.array([int(word[0]) for word in words])
        own = np.array([int(word[1]) for word in words])
        noise = self._numbers[number % ROWS] + self._numbers[(7919 * (number // ROWS) + number) % ROWS]
        copies = np.array([len(word) > 2 for word in words])
        noise[copies] += 0.05 * self._numbers[own[copies]]
        return self._classes[own] + noise


def anchor(argument: str, *, modality: str, runtime: Any) -> Hashing:
    """The cheap anchor."""
    return Hashing()


def numbered(argument: str, *, modality: str, runtime: Any) -> Numbered:
    """The cheap encoder."""
    return Numbered()


def table(size: int) -> Any:
    """So many pairs in memory."""
    from textanchor.records import Item, Pair, Pairs

    rows = []
    for row in range(size):
        copy = row % DUPLICATES == 1
        number = row - copy
        value = f"{number} {number % TEXTS}" + (" copy" if copy else "")
        rows.append(
            Pair(item=Item(id=str(row), modality="document", value=value), text=f"text {number % TEXTS}", group=str(row))
        )
    return Pairs(rows=tuple(rows), source="synthetic")


def measured(size: int) -> Figures:
    """Seconds and peak memory of `diagnose` on `size` items."""
    from textanchor import registry
    from textanchor.doctor import diagnose

    encoders: Any = registry.BUILT_IN["encoder"]
    encoders |= {"cheap-anchor": "scale_doctor:anchor", "cheap-numbers": "scale_doctor:numbered"}
    pairs = table(size)
    wall, work = time.perf_counter(), time.process_time()
    with tempfile.TemporaryDirectory() as cache:
        diagnosis = diagnose(pairs, anchor="cheap-anchor", encoders={"document": "cheap-numbers"}, cache=cache, device="cpu")
    seconds, cpu = time.perf_counter() - wall, time.process_time() - work
    for findings in diagnosis.findings.values():
        for finding in findings:
            print(f"{finding.level} {finding.topic}: {finding.text}", file=sys.stderr)
    return {"seconds": seconds, "CPU seconds": cpu, "peak GB": peak()}


def main() -> None:
    """Print a row a size, and the growth."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=[10_000, 100_000])
    parser.add_argument("--one", type=int)
    given = parser.parse_args()
    if given.one:
        print(" ".join(f"{value:.6g}" for value in measured(given.one).values()))
        return
    rows = []
    print(f"{'items':>12}{'seconds':>12}{'CPU seconds':>14}{'peak GB':>10}")
    for size in given.sizes:
        answer = subprocess.check_output([sys.executable, __file__, "--one", str(size)], text=True)
        rows.append([float(value) for value in answer.splitlines()[-1].split()])
        print(f"{size:12,}{rows[-1][0]:12.1f}{rows[-1][1]:14.1f}{rows[-1][2]:10.2f}", flush=True)
    if len(rows) > 1:
        slopes = [exponent(given.sizes, [row[column] for row in rows]) for column in range(3)]
        print(f"{'exponent':>12}{slopes[0]:12.2f}{slopes[1]:14.2f}{slopes[2]:10.2f}")


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent))
    main()
