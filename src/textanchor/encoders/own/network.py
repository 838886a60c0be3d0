"""A backbone cut at one layer and pooled: what an encoder of one's own computes."""

from __future__ import annotations

from typing import Any, Literal, TypeAlias, cast

import torch
from jaxtyping import Float
from torch import Tensor, nn

from textanchor import registry
from textanchor.encoders.own.backbones import Backbone

Pool: TypeAlias = Literal["mean", "max"]


class Standard(nn.Module):
    """Numbers of each channel, centred and scaled by what was seen in training."""

    mean: Tensor
    scale: Tensor

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(channels, 1, 1))
        self.register_buffer("scale", torch.ones(channels, 1, 1))

    def forward(self, inputs: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c h w"]:
        """Of mean 0 and deviation 1."""
        return (inputs.float() - self.mean) / self.scale

    def measured(self, mean: Tensor, scale: Tensor) -> None:
        """What it subtracts and divides by, one number a channel."""
        self.mean.copy_(mean[:, None, None])
        self.scale.copy_(scale.clamp(min=1e-6)[:, None, None])


class OwnNetwork(nn.Module):
    """From a front's arrays to latents: standardised, through the backbone up to `layer`, pooled over places.

    `layer` counts from 0 next to the input; negative ones count from the end.
    """

    def __init__(self, *, shape: tuple[int, int, int], backbone: str, layer: int = -1, pool: Pool = "mean") -> None:
        super().__init__()
        self.standard = Standard(shape[0])
        self.backbone = registry.part("backbone", backbone, shape=shape)
        self.layer, self.pool = range(len(self.backbone.widths))[layer], pool

    @property
    def dim(self) -> int:
        """Numbers of a latent."""
        return int(cast(Backbone, self.backbone).widths[self.layer])

    def forward(self, inputs: Float[Tensor, "b c h w"]) -> Float[Tensor, "b d"]:
        """Latents."""
        return pooled(self.layers(inputs)[self.layer], self.pool)

    def layers(self, inputs: Float[Tensor, "b c h w"], **more: Any) -> list[Tensor]:
        """What every layer makes of it, [b, places, width]."""
        found: list[Tensor] = self.backbone(self.standard(inputs), **more)
        return found


def pooled(places: Float[Tensor, "b n d"], how: Pool) -> Float[Tensor, "b d"]:
    """One vector of all places."""
    return places.amax(dim=1) if how == "max" else places.mean(dim=1)
