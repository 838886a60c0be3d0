"""What a backbone is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol, runtime_checkable

from jaxtyping import Float
from torch import Tensor


@runtime_checkable
class Backbone(Protocol):
    """A module built from the `shape` [c, h, w] of its input, of which every layer's activations are kept.

    `widths` are their numbers of channels, the layer next to the input first; `name` and `settings` build it again.
    """

    name: str
    settings: Mapping[str, Any]
    widths: tuple[int, ...]

    def __call__(self, inputs: Float[Tensor, "b c h w"]) -> list[Tensor]:
        """Activations of each layer. *Shape:* [b, places, widths[layer]]."""
