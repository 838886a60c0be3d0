"""Arrays in a project's file: blocks of rows, each with its sha256."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import numpy as np
from jaxtyping import Shaped

from textanchor.database import Database
from textanchor.errors import DamagedError

BLOCK = 4096  # rows
KINDS: Mapping[str, np.dtype[Any]] = {"f2": np.dtype("<f2"), "f4": np.dtype("<f4"), "u1": np.dtype("u1"), "i4": np.dtype("<i4")}


def keep(database: Database, name: str, values: Shaped[np.ndarray, "n d"], kind: str) -> None:
    """Write an array in place of the one of that name; within `writing`."""
    drop(database, name)
    for block, start in enumerate(range(0, max(len(values), 1), BLOCK)):
        part = np.ascontiguousarray(values[start : start + BLOCK], dtype=KINDS[kind])
        data = part.tobytes()
        row = (name, block, kind, len(part), values.shape[1], hashlib.sha256(data).hexdigest(), data)
        database.ask("INSERT INTO arrays VALUES (?, ?, ?, ?, ?, ?, ?)", *row)


def kept(database: Database, name: str) -> Shaped[np.ndarray, "n d"] | None:
    """The array of that name; None if there is none. Raises `DamagedError` where a block is not what was written."""
    told = database.ask("SELECT block, kind, rows, width, sha256, data FROM arrays WHERE name = ? ORDER BY block", name)
    if not told:
        return None
    parts = []
    for place, (block, kind, rows, width, sha256, data) in enumerate(told):
        if block != place or kind not in KINDS or hashlib.sha256(data).hexdigest() != sha256:
            raise DamagedError(f"{database.file}: block {place} of '{name}' is not what was written; restore the file")
        parts.append(np.frombuffer(data, dtype=KINDS[kind]).reshape(rows, width))
    return np.concatenate(parts)


def drop(database: Database, name: str) -> None:
    """No more of it."""
    database.ask("DELETE FROM arrays WHERE name = ?", name)


def names(database: Database, prefix: str) -> tuple[str, ...]:
    """Names of arrays that begin so, in order."""
    told: list[tuple[Any, ...]] = database.ask("SELECT DISTINCT name FROM arrays WHERE block = 0 ORDER BY name")
    return tuple(name for (name,) in told if name.startswith(prefix))
