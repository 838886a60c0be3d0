"""Image models that take squares of one size and give one vector, whatever library they come from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from textanchor.encoders.protocol import Output, encode_staged
from textanchor.records import Head, Vectors

if TYPE_CHECKING:
    from textanchor.encoders.networks import Network


@dataclass(frozen=True, kw_only=True)
class Cropped:
    """Pixels [3, side, side] of a picture's middle: the shorter side becomes `short`; (value / full - mean) / std by channel.

    `resample` is Pillow's number of the filter; values are 0 to 255 before.
    """

    side: int
    short: int
    resample: int
    full: float
    mean: tuple[float, ...]
    std: tuple[float, ...]

    def __call__(self, image: Image.Image) -> np.ndarray:
        """*Shape:* [3, side, side]."""
        scale = self.short / min(image.size)
        size = (max(self.short, round(image.width * scale)), max(self.short, round(image.height * scale)))
        large = image.convert("RGB").resize(size, Image.Resampling(self.resample))
        left, top = (large.width - self.side) // 2, (large.height - self.side) // 2
        pixels = np.asarray(large.crop((left, top, left + self.side, top + self.side)), dtype=np.float32)
        mean, std = (np.asarray(numbers, dtype=np.float32) for numbers in (self.mean, self.std))
        return np.moveaxis((pixels / np.float32(self.full) - mean) / std, -1, 0)


class ImageModel:
    """`prepare` makes pixels [3, s, s] of an image, `model` vectors of a tensor of them; `head` finds its classifier."""

    modality = "image"

    def __init__(
        self,
        prepare: Callable[[Image.Image], np.ndarray],
        model: Callable[[Any], Any],
        *,
        device: str,
        fingerprint: str,
        name: str,
        head: Callable[[], Head | None] = lambda: None,
    ) -> None:
        self._head = head
        self._prepare, self._model, self._device, self.name, self.fingerprint = prepare, model, device, name, fingerprint
        self.batch = 8 if device == "cpu" else 64  # on a CPU, activations of more pictures leave the caches
        self.outputs: tuple[Output, ...] = ()
        (sample,) = self.forward([self.prepare(Image.new("RGB", (64, 64)))])
        self.dim = int(sample.shape[1])
        self.outputs = (Output(name="", dim=self.dim, fingerprint=fingerprint),)

    @cached_property
    def head(self) -> Head | None:
        """What the classifier makes of the vectors; looked for when first asked."""
        return self._head()

    @property
    def network(self) -> Network | None:
        """The model as a module, for exports; None where it is none."""
        from textanchor.encoders.networks import image_network

        cropped = self._prepare if isinstance(self._prepare, Cropped) else None
        return image_network(self._model, self.prepare(Image.new("RGB", (64, 64))), self.name, cropped)

    def encode(self, batch: Sequence[Image.Image]) -> Vectors:
        """*Shape:* [n, dim]."""
        return encode_staged(self, batch)

    def prepare(self, value: Image.Image) -> np.ndarray:
        """Pixels of one image."""
        return self._prepare(value)

    def forward(self, inputs: Sequence[np.ndarray]) -> list[Vectors]:
        """Vectors of a batch."""
        import torch

        with torch.inference_mode():
            vectors = self._model(torch.from_numpy(np.stack(inputs)).to(self._device))
        return [vectors.float().cpu().numpy()]
