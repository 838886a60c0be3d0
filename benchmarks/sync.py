"""What a collection that stays costs: `python benchmarks/sync.py [--items 100000]`.

Text files of one sentence each, a hundred a folder, in a space of the sample digits. Beside each figure stands what it is
measured by, in the same run: syncing what has not changed beside walking the same files and asking for their size, a search
from a cold start beside importing torch, a search in a process beside the bare matrix product. Prints Markdown.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import numpy as np

import textanchor
from textanchor import Collection

REPEATS = 5


def main() -> None:
    """Make the files and the collection, and measure."""
    told = argparse.ArgumentParser(description=__doc__)
    told.add_argument("--items", type=int, default=100_000)
    count = told.parse_args().items
    with tempfile.TemporaryDirectory() as work:
        place = Path(work)
        written(place / "notes", count)
        digits = textanchor.write_sample("digits", place / "digits")
        space = textanchor.load(textanchor.fit(digits, encoders={"image": "signal"}, aligner="ridge").save(place / "space"))
        kept = Collection(place / "kept", create=True)
        first = seconds(lambda: kept.add(space, place / "notes", cache=place / "cache"))
        again = seconds(lambda: kept.sync(space, cache=place / "cache"))
        rows = [
            ("sync, nothing changed", again, "walk and stat", seconds(lambda: walked(place / "notes"))),
            ("search, cold start", cold(place, "search"), "import torch", cold(place, "torch")),
        ]
        index, query = kept.index(space), space.embed("note 7")
        raw = np.ascontiguousarray(index.holding.raw("text"))
        asked = [seconds(lambda: textanchor.search(space, query, kept, k=10)) for _ in range(REPEATS)]
        bare = [seconds(lambda: np.argpartition(-(raw @ query[0]), 10)) for _ in range(REPEATS)]
        rows.append(("search, in a process", median(asked), "matrix product", median(bare)))
        size = sum(file.stat().st_size for file in kept.folder.rglob("*") if file.is_file())
    print(f"{count:,} text files; the first sync took {first:.0f} s; {size / count / 1000:.1f} KB an item on disk\n")
    print("| | seconds | beside it | seconds |")
    print("|---|---|---|---|")
    for what, own, beside, other in rows:
        print(f"| {what} | {own:.4f} | {beside} | {other:.4f} |")


def written(folder: Path, count: int) -> None:
    """Files that were last changed an hour ago."""
    past = time.time() - 3600
    for number in range(count):
        file = folder / f"{number // 100:04d}" / f"{number}.txt"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"note {number}")
        os.utime(file, (past, past))


def walked(folder: Path) -> int:
    """How many bytes all files have together."""
    return sum(Path(root, name).stat().st_size for root, _, names in os.walk(folder) for name in names)


def cold(place: Path, what: str) -> float:
    """The median of several new processes."""
    search = [
        str(Path(sys.executable).with_name("textanchor")),
        "search",
        str(place / "space"),
        "note 7",
        "--in",
        str(place / "kept"),
    ]
    command = search if what == "search" else [sys.executable, "-c", "import torch"]
    return median(seconds(lambda: subprocess.run(command, check=True, capture_output=True)) for _ in range(REPEATS))


def seconds(work: Callable[[], object]) -> float:
    """How long it takes, once."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
