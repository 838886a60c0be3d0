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

    `layer` counts from 0 next to the input; negative ones count from the end. `top` layers stand on the pooled vector.
    """

    def __init__(
        self, *, shape: tuple[int, int, int], backbone: str, layer: int = -1, pool: Pool = "mean", top: int = 0
    ) -> None:
        super().__init__()
        self.standard = Standard(shape[0])
        self.backbone = registry.part("backbone", backbone, shape=shape)
        self.layer, self.pool = range(len(self.backbone.widths))[layer], pool
        self.top = nn.Sequential(*(Residual(self.dim) for _ in range(top)))
        self.laid_out()

    def laid_out(self) -> OwnNetwork:
        """With numbers in the order in which convolutions take two thirds of the time."""
        cast(Any, self).to(memory_format=torch.channels_last)
        return self

    @property
    def dim(self) -> int:
        """Numbers of a latent."""
        return int(cast(Backbone, self.backbone).widths[self.layer])

    def forward(self, inputs: Float[Tensor, "b c h w"]) -> Float[Tensor, "b d"]:
        """Latents."""
        latents: Tensor = self.top(pooled(self.layers(inputs)[self.layer], self.pool))
        return latents

    def layers(self, inputs: Float[Tensor, "b c h w"], **more: Any) -> list[Tensor]:
        """What every layer makes of it, [b, places, width]."""
        found: list[Tensor] = self.backbone(self.standard(inputs).contiguous(memory_format=torch.channels_last), **more)
        return found


class Residual(nn.Module):
    """A layer on top that begins as nothing: x + W2 gelu(W1 norm(x)), with W2 = 0 at first."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.norm, self.inner, self.outer = nn.LayerNorm(dim), nn.Linear(dim, 2 * dim), nn.Linear(2 * dim, dim)
        nn.init.zeros_(self.outer.weight)
        nn.init.zeros_(self.outer.bias)

    def forward(self, inputs: Float[Tensor, "b d"]) -> Float[Tensor, "b d"]:
        """Of the same width."""
        out: Tensor = inputs + self.outer(nn.functional.gelu(self.inner(self.norm(inputs))))
        return out


def pooled(places: Float[Tensor, "b n d"], how: Pool) -> Float[Tensor, "b d"]:
    """One vector of all places."""
    return places.amax(dim=1) if how == "max" else places.mean(dim=1)
