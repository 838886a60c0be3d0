"""Changes of spectrograms."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from textanchor.errors import InputError
from textanchor.settings import Amount, Share, Whole


class Spectra:
    """Random shifts in time and pitch, gain, noise, and masks over bands and times.

    `shift` is the largest share of the time by which a sound comes earlier or later, `pitch` that of the bands by which it is
    higher or lower, `mask` the largest share of bands, and of times, that a mask hides; `gain` and `noise` are in the
    levels of the spectrogram, 1 being 80 dB. `waves` are variants of each sound with another pitch, speed and noise, which are
    made once before training and drawn from besides the sound itself.
    Sources: Park et al. 2019 (SpecAugment), arXiv:1904.08779, sections 2 and 3.
    """

    def __init__(
        self,
        *,
        shift: Share = 0.15,
        pitch: Share = 0.04,
        mask: Share = 0.2,
        gain: Amount = 0.05,
        noise: Amount = 0.03,
        waves: Whole = 0,
    ) -> None:
        self.shift, self.pitch, self.mask, self.gain, self.noise = shift, pitch, mask, gain, noise
        self.waves = waves

    def __call__(self, inputs: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c h w"]:
        """Levels in, levels out; what comes in from beyond the edges is silence."""
        if inputs.ndim != 4:
            raise InputError(f"spectra: {inputs.ndim} dimensions; expected a batch of spectrograms")
        items, _, bands, times = inputs.shape
        changed = _moved(inputs, self._whole(items, self.pitch * bands), dim=2)
        changed = _moved(changed, self._whole(items, self.shift * times), dim=3)
        heard = changed > 0
        level = (2 * torch.rand(items, 1, 1, 1, device=inputs.device) - 1) * self.gain
        changed = torch.where(heard, changed + level, changed) + self.noise * torch.randn_like(changed)
        for dim, count in ((2, bands), (3, times)):
            changed = changed * _hole(items, count, self.mask, dim, inputs.device)
        return changed.clamp(0, 1)

    def _whole(self, items: int, most: float) -> Tensor:
        return ((2 * torch.rand(items) - 1) * most).round().long()


def _moved(inputs: Tensor, by: Tensor, *, dim: int) -> Tensor:
    """Each item along a dimension, silence following."""
    count, by = inputs.shape[dim], by.to(inputs.device)
    place = torch.arange(count, device=inputs.device)[None, :] - by[:, None]
    inside = ((place >= 0) & (place < count)).to(inputs.dtype)
    shape = [len(inputs), 1, 1, 1]
    shape[dim] = count
    index = place.clamp(0, count - 1).view(shape).expand_as(inputs)
    return inputs.gather(dim, index) * inside.view(shape)


def _hole(items: int, count: int, share: float, dim: int, device: torch.device) -> Tensor:
    """0 within a stretch of random length and place, else 1."""
    length = torch.rand(items, 1, device=device) * share * count
    start = torch.rand(items, 1, device=device) * (count - length)
    place = torch.arange(count, device=device)[None, :]
    shape = [items, 1, 1, 1]
    shape[dim] = count
    return 1 - ((place >= start) & (place < start + length)).float().view(shape)
