"""Vectors of a store as they are compared, kept beside it so that they are mapped once and not at every start.

They follow from the store and a comparison, so they may be deleted at any time. A gallery grows as its store does.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from filelock import FileLock, Timeout

from textanchor.collections.storing.vector_files import Appending, mapped
from textanchor.errors import DamagedError
from textanchor.files import digest, write_json
from textanchor.records import Vectors
from textanchor.space import Comparison

GALLERIES = "galleries"
PART = 8192  # rows that are mapped at once
PATIENCE = 0.1  # seconds that are waited for another process that maps the same


def gallery_file(folder: Path, store_file: str, comparison: Comparison) -> Path:
    """Where the gallery of a store and a comparison lies; galleries of one store begin with the store's name."""
    view = comparison.views[1]
    told = digest(comparison.key, view.id if view else "raw")
    return folder / GALLERIES / f"{Path(store_file).stem}-{told[:16]}.f32"


def gallery(file: Path, raw: Vectors, comparison: Comparison) -> Vectors:
    """Raw vectors as a gallery of the comparison, mapped from the file as far as they stand there, and written to it.

    Where nothing can be written, or another process does it now, the rest is mapped in memory.
    """
    there = _there(file)
    if len(there) >= len(raw):
        return there[: len(raw)]
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(file.with_suffix(".lock"), timeout=PATIENCE):
            there = _there(file)
            _write(file, raw, len(there), comparison)
            return _there(file)[: len(raw)]
    except (OSError, Timeout):
        rest = comparison.gallery(np.ascontiguousarray(raw[len(there) :]))
        return np.concatenate([there, rest]) if len(there) else rest


def _there(file: Path) -> Vectors:
    """The rows that are complete."""
    try:
        told = json.loads(file.with_suffix(".json").read_text())
        return mapped(file, int(told["rows"]), int(told["dim"]))
    except (OSError, ValueError, KeyError, TypeError, DamagedError):
        return np.empty((0, 0), dtype=np.float32)


def _write(file: Path, raw: Vectors, done: int, comparison: Comparison) -> None:
    appending = None
    for start in range(done, len(raw), PART):
        part = comparison.gallery(np.ascontiguousarray(raw[start : start + PART]))
        appending = appending or Appending(file, rows=done, dim=part.shape[1])
        appending.add(part)
    if appending is not None:
        appending.close()
        write_json(file.with_suffix(".json"), {"rows": appending.rows, "dim": part.shape[1]})
