"""How long encoders take for the same items."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from textanchor.encoders import Encoder

TURNS, WARM = 3, 8


def seconds(encoders: Sequence[Encoder], values: Sequence[Any]) -> list[float]:
    """Of each the best of three, in turns, so that what else the machine does meets all of them."""
    for encoder in encoders:
        encoder.encode(values[:WARM])
    best = [float("inf")] * len(encoders)
    for _ in range(TURNS):
        for place, encoder in enumerate(encoders):
            start = time.perf_counter()
            encoder.encode(values)
            best[place] = min(best[place], time.perf_counter() - start)
    return best
