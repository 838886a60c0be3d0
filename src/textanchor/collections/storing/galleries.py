"""Vectors of a store as they are compared, kept beside it so that they are mapped once and not at every start.

They follow from the store and a comparison, so they may be deleted at any time. A gallery grows as its store does.
"""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from filelock import FileLock, Timeout

from textanchor.collections.storing.vector_files import BLOCK, Appending, checksums, mapped
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
    dim = comparison.gallery(np.ascontiguousarray(raw[:1])).shape[1]
    there = _there(file, dim)
    if len(there) >= len(raw):
        return there[: len(raw)]
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(file.with_suffix(".lock"), timeout=PATIENCE):
            there = _there(file, dim)
            _write(file, raw, len(there), comparison)
            return _there(file, dim)[: len(raw)]
    except (OSError, Timeout):
        rest = comparison.gallery(np.ascontiguousarray(raw[len(there) :]))
        return np.concatenate([there, rest]) if len(there) else rest


def spoilt(folder: Path) -> list[tuple[Path, int]]:
    """Galleries that are not what was written, and their rows."""
    found = [(file, _there(file)) for file in sorted((folder / GALLERIES).glob("*.f32"))]
    return [(file, len(rows)) for file, rows in found if len(rows) and _hashes(rows) != _told(file).get("sha256")]


def _hashes(rows: Vectors, *, first: int = 0) -> list[str]:
    return [sha256 for _, sha256 in checksums(rows, first=first)]


def _told(file: Path) -> dict[str, Any]:
    try:
        told = json.loads(file.with_suffix(".json").read_text())
    except (OSError, ValueError):
        return {}
    return told if isinstance(told, dict) else {}


def _there(file: Path, dim: int | None = None) -> Vectors:
    """The rows that are complete; none where they are of another length than `dim`."""
    told = _told(file)
    rows, length = told.get("rows"), told.get("dim")
    with suppress(OSError, ValueError, DamagedError):
        if isinstance(rows, int) and isinstance(length, int) and rows > 0 and length > 0 and dim in (None, length):
            return mapped(file, rows, length)
    return np.empty((0, 0), dtype=np.float32)


def _write(file: Path, raw: Vectors, done: int, comparison: Comparison) -> None:
    appending = None
    for start in range(done, len(raw), PART):
        part = comparison.gallery(np.ascontiguousarray(raw[start : start + PART]))
        appending = appending or Appending(file, rows=done, dim=part.shape[1])
        appending.add(part)
    if appending is not None:
        appending.close()
        rows = mapped(file, appending.rows, part.shape[1])
        known = _told(file).get("sha256", [])[: done // BLOCK] if done else []
        told = {"rows": len(rows), "dim": part.shape[1], "sha256": [*known, *_hashes(rows, first=done)]}
        write_json(file.with_suffix(".json"), told)
