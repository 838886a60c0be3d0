"""One space used by many threads at once gives what it gives to one."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from typing import Any

import numpy as np

import textanchor
from textanchor.collections import search
from textanchor.runtime import Runtime

THREADS = 16


def answers(space: textanchor.Space, files: list[Path], index: textanchor.Index, turn: int) -> list[Any]:
    """What one client asks of a space: texts, files of both modalities, a search, a comparison; in an order of its own."""
    own = files[turn % len(files) :] + files[: turn % len(files)]
    texts = space.embed([f"a drawing of number {turn % 5}", "a circle", "a low tone"])
    items = dict(zip(own, space.embed(own), strict=True))
    hits = search(space, "a circle", index, k=3)
    compared = space.embed([f"a low tone {turn}"], compared_with="audio")
    return [[hit.id for hit in hits], [hit.score for hit in hits], texts, [items[file] for file in files], compared]


def test_sixteen_threads_and_one_agree(shapes: Path, saved: Path, tmp_path: Path) -> None:
    files = sorted(shapes.rglob("*.png"))[:20] + sorted(shapes.rglob("*.wav"))[:12]
    alone_space = textanchor.load(saved, runtime=Runtime(cache=tmp_path / "one"))
    alone_index = textanchor.build_index(alone_space, shapes)
    alone = [answers(alone_space, files, alone_index, turn) for turn in range(THREADS)]
    space = textanchor.load(saved, runtime=Runtime(cache=tmp_path / "many"))
    index = textanchor.build_index(space, shapes)
    start = Barrier(THREADS)

    def client(turn: int) -> list[Any]:
        start.wait()  # encoders are not even loaded then
        return [answers(space, files, index, turn) for _ in range(3)][-1]

    with ThreadPoolExecutor(THREADS) as pool:
        together = list(pool.map(client, range(THREADS)))
    for mine, one in zip(together, alone, strict=True):
        assert mine[0] == one[0]
        for numbers, expected in zip(mine[1:], one[1:], strict=True):
            np.testing.assert_allclose(numbers, expected, atol=1e-5)
