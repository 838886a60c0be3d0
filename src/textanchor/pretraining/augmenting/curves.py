"""Changes of series."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from textanchor.errors import InputError
from textanchor.settings import Amount, Share

KNOTS = 4  # stretches of time with a speed of their own


class Curves:
    """Random crops and warps of time, scaling, jitter, and channels that fall silent.

    `crop` is the smallest share of the time that is kept, `warp` by how much the time goes faster or slower from place to place
    (0.3: by up to 30 %), `scale` the deviation of a channel's factor about its mean, `jitter` the noise's, in deviations of the
    channel over the batch, `mask` the probability that a channel is replaced by its mean; one always stays.
    Sources: Um et al. 2017, arXiv:1706.00527, section 3; Iwana and Uchida 2021, arXiv:2007.15951, section 3.
    """

    def __init__(
        self, *, crop: Share = 0.6, warp: Share = 0.3, scale: Amount = 0.1, jitter: Amount = 0.05, mask: Share = 0.1
    ) -> None:
        if not crop:
            raise InputError("curves: crop=0: expected a share above 0")
        if warp == 1:
            raise InputError("curves: warp=1: time would stand still; expected a share below 1")
        self.crop, self.warp, self.scale, self.jitter, self.mask = crop, warp, scale, jitter, mask

    def __call__(self, inputs: Float[Tensor, "b c 1 t"]) -> Float[Tensor, "b c 1 t"]:
        """Values in, values out."""
        items, channels, _, length = inputs.shape
        changed = _read(inputs, self._times(items, length).to(inputs.device))
        mean = changed.mean(dim=3, keepdim=True)
        changed = mean + (changed - mean) * (1 + self.scale * torch.randn_like(mean))
        spread = inputs.std(dim=(0, 3), keepdim=True, correction=0)
        changed = changed + self.jitter * spread * torch.randn_like(changed)
        silent = torch.rand(items, channels, 1, 1, device=inputs.device) < self.mask
        silent &= torch.rand_like(mean).argsort(dim=1) > 0  # so that a random one stays
        return torch.where(silent, inputs.mean(dim=(0, 3), keepdim=True), changed)

    def _times(self, items: int, length: int) -> Float[Tensor, "b t"]:
        """Where each point is read, from 0 to length - 1, never backwards."""
        speeds = 1 + self.warp * (2 * torch.rand(items, 1, KNOTS) - 1)
        steps = torch.nn.functional.interpolate(speeds, length, mode="linear", align_corners=True)[:, 0]
        gone = steps.cumsum(dim=1) - steps
        share = gone / gone[:, -1:].clamp(min=1e-6)
        kept = self.crop + (1 - self.crop) * torch.rand(items, 1)
        start = (1 - kept) * torch.rand(items, 1)
        return (start + kept * share) * (length - 1)


def _read(inputs: Float[Tensor, "b c 1 t"], times: Float[Tensor, "b t"]) -> Tensor:
    """Linear interpolation."""
    below = times.floor().clamp(0, max(0, inputs.shape[3] - 2)).long()
    above = (below + 1).clamp(max=inputs.shape[3] - 1)
    share = (times - below)[:, None, None]
    first, second = (inputs.gather(3, at[:, None, None].expand_as(inputs)) for at in (below, above))
    return first + share * (second - first)
