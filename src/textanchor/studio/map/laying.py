"""Maps laid out one after another in the background, and kept by what they were made of."""

from __future__ import annotations

import hashlib
import io
import logging
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from pathlib import Path
from threading import Lock, Thread

import numpy as np
from jaxtyping import Float32

from textanchor.config import home
from textanchor.errors import TextAnchorError
from textanchor.files import write_bytes
from textanchor.records import Vectors

log = logging.getLogger("textanchor.studio")
FOLDER = "maps"
VERSION = b"1"  # of how points are laid out
Points = Float32[np.ndarray, "n 2"]


class Layouts:
    """Points by the vectors that they are of; each is made once, and found again by the next studio.

    A studio that ends waits for none.
    """

    def __init__(self, folder: Path | None = None, *, lay: Callable[[Vectors], Points] | None = None) -> None:
        self._folder, self._lay = folder or home() / FOLDER, lay or _flat
        self._turn, self._one = Lock(), Lock()
        self._held: dict[str, Future[Points]] = {}

    def of(self, vectors: Vectors) -> Points | None:
        """The points, or None while they are being laid out. Raises what laying them out raised."""
        name = hashlib.sha256(VERSION + repr(vectors.shape).encode() + np.ascontiguousarray(vectors).tobytes()).hexdigest()
        with self._turn:
            if name not in self._held:
                self._held[name] = Future()
                Thread(target=self._work, args=(self._held[name], name, vectors), name="map", daemon=True).start()
            found = self._held[name]
        return found.result() if found.done() else None

    def _work(self, found: Future[Points], name: str, vectors: Vectors) -> None:
        """One at a time."""
        try:
            with self._one:
                found.set_result(self._made(name, vectors))
        except Exception as why:
            found.set_exception(why)

    def _made(self, name: str, vectors: Vectors) -> Points:
        file = self._folder / f"{name}.npy"
        with suppress(OSError, ValueError):
            points = np.load(file, allow_pickle=False)
            if points.shape == (len(vectors), 2):
                return points
        points = self._lay(vectors)
        with suppress(OSError, TextAnchorError):  # it is of use without being kept
            out = io.BytesIO()
            np.save(out, points, allow_pickle=False)
            write_bytes(file, out.getvalue())
        return points


def _flat(vectors: Vectors) -> Points:
    from textanchor.evaluation.flat import flat

    return flat(vectors)
