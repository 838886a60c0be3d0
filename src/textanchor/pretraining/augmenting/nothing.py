"""No augmentation."""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor


class Nothing:
    """Every view is the item itself."""

    def __call__(self, inputs: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c h w"]:
        """As given."""
        return inputs
