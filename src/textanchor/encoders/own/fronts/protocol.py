"""What stands before a network: every item becomes an array of one shape."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol, runtime_checkable

import numpy as np

from textanchor import registry


@runtime_checkable
class Front(Protocol):
    """A decoded item of one modality to an array [channels, height, width]; curves have a height of 1.

    `seconds` is the longest item that it takes whole, None where length does not matter.
    """

    name: str
    modality: str
    settings: Mapping[str, Any]
    shape: tuple[int, int, int]
    seconds: float | None

    def __call__(self, value: Any) -> np.ndarray:
        """uint8 or float32 [c, h, w]. Raises `ValueError` with a one-line reason."""


def front_of(spec: str) -> Front:
    """A front by name and settings, such as `pixels(side=28, channels=1)`. Raises `InputError`."""
    made: Front = registry.part("front", spec)
    return made
