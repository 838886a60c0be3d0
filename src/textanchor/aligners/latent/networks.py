"""The networks around the latent space, and what comes out of them when they are trained."""

from __future__ import annotations

from copy import deepcopy
from functools import partial

import numpy as np
import torch
from torch import Tensor, nn

from textanchor.aligners.latent.frames import Frames
from textanchor.projectors.chain import Chain
from textanchor.projectors.linear import Linear
from textanchor.projectors.skip_mlp import SkipMLP
from textanchor.records import Affine, Bent, View

SINGULAR = 1e-5  # singular values of the text decoder below this share of the largest count as none


class System(nn.Module):
    """Encoders of items and texts into one latent space, decoders back, and judges of what is real.

    All of them see centred items and texts, scaled as a whole (`Frames`). The text decoder is linear and `dim` at most the
    anchor's dimension: so an item's vector in the anchor's space still holds the whole of the item's latent.
    """

    def __init__(self, *, items: int, texts: int, dim: int, hidden: int, dropout: float) -> None:
        super().__init__()
        network = partial(SkipMLP, hidden=hidden, dropout=dropout)
        self.item, self.text = network(dim_in=items, dim_out=dim), network(dim_in=texts, dim_out=dim)
        self.to_item, self.to_text = network(dim_in=dim, dim_out=items), Linear(dim_in=dim, dim_out=texts)
        nn.init.zeros_(self.to_text.map.bias)
        self.to_text.map.bias.requires_grad_(False)  # the mean text is what views take out, and stays so
        seen = {"latent": dim, "prior": dim, "item": items, "text": texts}
        self.judges = nn.ModuleDict({name: _judge(wide, hidden) for name, wide in seen.items()})

    def projector(self, frames: Frames) -> Chain:
        """Decoder of texts after encoder of items, from raw latents to raw anchor vectors."""
        first, second = _framed(self.item, frames.item_mean, frames.item_scale), deepcopy(self.to_text)
        with torch.no_grad():
            second.map.weight *= frames.text_scale
            second.map.bias.copy_(frames.text_mean)
        wide = int(first.settings["dim_in"])
        made = Chain(
            dim_in=wide, dim_out=len(frames.text_mean), first=first.name, first_settings=first.settings, second=second.name,
            second_settings=second.settings,
        )  # fmt: skip
        made.first, made.second = first, second
        return made.eval()

    def view(self, frames: Frames) -> View:
        """Comparison in the latent space: texts are encoded, items are read back out of their anchor vectors, exactly."""
        mean = frames.text_mean.numpy()
        weight = self.to_text.map.weight.detach().cpu().double().numpy() * frames.text_scale
        matrix = np.linalg.pinv(weight.T, rcond=SINGULAR).astype(np.float32)
        encoder = _framed(self.text, frames.text_mean, frames.text_scale).eval()
        return View(item=Affine(mean=mean, matrix=matrix), text=Bent(mean=mean, module=encoder))


def _judge(wide: int, hidden: int) -> nn.Module:
    return nn.Sequential(nn.Linear(wide, hidden), nn.LeakyReLU(0.2), nn.Linear(hidden, 1))


def _framed(network: SkipMLP, mean: Tensor, scale: float) -> SkipMLP:
    made = deepcopy(network)
    made.mean.copy_(mean)
    made.scale.fill_(scale)
    return made
