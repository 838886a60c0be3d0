"""What stands between decoded items and a model of Hugging Face transformers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np


class Front(Protocol):
    """What stands between decoded items and a model: one of `hub_image`, `hub_audio`."""

    modality: str

    @property
    def seconds(self) -> float | None:
        """How much the model takes at once; None for what has no length."""

    def prepare(self, value: Any) -> dict[str, np.ndarray]:
        """The model's inputs of one item, without the batch's dimension; keys with an underscore are for pooling."""

    def keywords(self) -> dict[str, bool]:
        """Further arguments of the model's call."""

    def recipe(self) -> bytes:
        """What preprocessing does to a fixed item: this tells library versions apart exactly where they differ."""

    def blank(self) -> Any:
        """An item to learn the outputs' dimensions from."""

    @property
    def even(self) -> bool:
        """Whether all inputs have one size, so that an export can hold what comes after them."""

    def told(self) -> dict[str, str]:
        """What preprocessing does, in words, for exports."""

    def processor(self) -> Any:
        """An object of the library that prepares as this does, for exports."""

    def prefix(self, tokens: int, inputs: Mapping[str, Any]) -> int:
        """How many tokens stand before those of patches or frames (class, distillation, registers)."""
