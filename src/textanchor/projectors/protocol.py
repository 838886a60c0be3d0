"""What a projector is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

if TYPE_CHECKING:
    from torch import Tensor


@runtime_checkable
class Projector(Protocol):
    """What an aligner returns: latents [n, d_in], or tokens [n, m, d_in] and their mask, to vectors [n, d_out].

    Trainable ones are built from `dim_in` and `dim_out`, take a class attribute `ragged` for tokens, and may have buffers
    `mean`, `scale` (of the input) and `offset` (of the output), which `gradient` fills before training.
    """

    name: str
    settings: Mapping[str, Any]

    def __call__(self, latents: Tensor) -> Tensor:
        """*Shape:* [n, d_in] -> [n, d_out]."""
