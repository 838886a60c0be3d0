"""What an augmentation is."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from jaxtyping import Float
from torch import Tensor

from textanchor import registry


@runtime_checkable
class Augmentation(Protocol):
    """A batch of a front's arrays to one that is changed at random, each item by itself.

    Random numbers are torch's own, so that a seed fixes them. One of sounds may have `waves`, the number of variants that are
    made of each before training.
    """

    def __call__(self, inputs: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c h w"]:
        """Numbers as the front gives them: 0 to 255 of pixels, levels of spectrograms, values of curves."""


def augmentation_of(spec: str) -> Augmentation:
    """By name and settings, such as `pictures(flip=false)`. Raises `InputError`."""
    made: Augmentation = registry.part("augmentation", spec)
    return made
