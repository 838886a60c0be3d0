"""Changes of pictures, by kornia."""

from __future__ import annotations

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from textanchor.errors import InputError, MissingError
from textanchor.settings import Amount, Share


class Pictures:
    """Random resized crops, colours, grey, blur and flips. Of one channel, brightness and contrast are all of colour.

    `crop` is the smallest share of the area that a crop keeps, `turn` the largest angle in degrees, `colour` the strength of
    the jitter, `flip` the probability of a mirror image, of which digits and letters have none.
    Source: Chen et al. 2020, arXiv:2002.05709, appendix A.
    """

    def __init__(
        self,
        *,
        crop: Share = 0.3,
        turn: Amount = 0.0,
        colour: Amount = 0.4,
        grey: Share = 0.1,
        blur: Share = 0.2,
        flip: Share = 0.5,
    ) -> None:
        if not 0 < crop <= 1:
            raise InputError(f"pictures: crop={crop}: expected a share above 0")
        self.crop, self.turn, self.colour, self.grey, self.blur, self.flip = crop, turn, colour, grey, blur, flip
        self._made: dict[tuple[int, ...], Any] = {}

    def __call__(self, inputs: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c h w"]:
        """Pixels from 0 to 255 in and out."""
        shape = tuple(inputs.shape[1:])
        if shape not in self._made:
            self._made[shape] = self._built(shape)
        with torch.no_grad():
            changed: Tensor = self._made[shape](inputs.float() / 255)
        return changed.clamp(0, 1) * 255

    def _built(self, shape: tuple[int, ...]) -> Any:
        try:
            from kornia import augmentation as by
        except ImportError:
            raise MissingError("kornia is not installed; get it with: pip install 'textanchor[pretrain]'") from None
        channels, high, wide = shape
        steps: list[Any] = [by.RandomResizedCrop((high, wide), scale=(self.crop, 1.0), ratio=(0.75, 1.33))]
        if self.turn:
            steps.append(by.RandomRotation(float(self.turn), p=0.8))
        if self.flip:
            steps.append(by.RandomHorizontalFlip(p=self.flip))
        if self.colour and channels == 3:
            steps.append(by.ColorJitter(self.colour, self.colour, self.colour, self.colour / 4, p=0.8))
        elif self.colour:
            steps += [
                by.RandomBrightness((1 - self.colour, 1 + self.colour), p=0.8),
                by.RandomContrast((1 - self.colour, 1 + self.colour), p=0.8),
            ]
        if self.grey and channels == 3:
            steps.append(by.RandomGrayscale(p=self.grey))
        if self.blur:
            steps.append(by.RandomGaussianBlur((3, 3), (0.1, 1.5), p=self.blur))
        return by.AugmentationSequential(*steps, data_keys=["input"])
