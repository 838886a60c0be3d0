"""Patches are hidden, and what they showed is told from the others."""

from __future__ import annotations

import inspect
from typing import Literal, TypeAlias, cast

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.nn import functional

from textanchor.encoders.own import OwnNetwork
from textanchor.encoders.own.backbones.vit import ViT
from textanchor.errors import InputError
from textanchor.pretraining.objectives.protocol import Facts, Seen
from textanchor.settings import Share

Target: TypeAlias = Literal["colour", "low", "patch"]
COARSE = 4  # how many pixels in a row become one in a low resolution


class Masked:
    """L2 on the hidden patches of standardised inputs, a `share` of all; for backbones that can hide patches, such as `vit`.

    `target` is a patch's mean `colour`, the patch at a quarter of its resolution (`low`), or the whole `patch`.
    Source: Dosovitskiy et al. 2021, arXiv:2010.11929, section 4.6 and appendix B.1.2, with squared errors for all three.
    """

    views, labelled = 1, False

    def __init__(self, *, target: Target = "patch", share: Share = 0.5) -> None:
        if not 0 < share < 1:
            raise InputError(f"masked: share={share}: expected a share above 0 and below 1")
        self.target, self.share = target, share

    def learner(self, network: OwnNetwork, facts: Facts) -> nn.Module:
        """Raises `InputError` for a backbone that cannot hide patches, or has a single one."""
        if "masked" not in inspect.signature(network.backbone.forward).parameters:
            raise InputError(f"masked: the backbone {network.backbone.name} cannot hide patches; take --backbone vit")
        backbone = cast(ViT, network.backbone)
        if backbone.places.shape[1] < 2:
            raise InputError(f"masked: the input is one patch of {backbone.patch}; take smaller ones, such as vit(patch=4)")
        return Revealing(network, self.target, self.share)


class Revealing(nn.Module):
    """Tells hidden patches from the last layer by a linear map."""

    def __init__(self, network: OwnNetwork, target: Target, share: float) -> None:
        super().__init__()
        self.network, self.target, self.share = network, target, share
        self._backbone = [cast(ViT, network.backbone)]  # in a list, so that it is registered once
        channels = int(network.standard.mean.shape[0])
        high, wide = _size(self._backbone[0].patch, target)
        self.tell = nn.Linear(self._backbone[0].widths[-1], channels * high * wide)

    def forward(self, seen: Seen) -> Float[Tensor, ""]:
        """Mean squared error over hidden patches and their numbers, in variances of the input."""
        inputs = seen.views[0]
        masked = hidden(len(inputs), self._backbone[0].places.shape[1], self.share, inputs.device)
        told = self.tell(self.network.layers(inputs, masked=masked)[-1])
        return functional.mse_loss(told[masked].float(), self.targets(inputs)[masked])

    def targets(self, inputs: Float[Tensor, "b c h w"]) -> Float[Tensor, "b n t"]:
        """What each patch showed."""
        backbone, standard = self._backbone[0], self.network.standard(inputs)
        whole = backbone.patches(standard)
        if self.target == "patch":
            return whole
        patches = whole.reshape(-1, standard.shape[1], *backbone.patch)
        coarse = functional.adaptive_avg_pool2d(patches, _size(backbone.patch, self.target))
        return coarse.reshape(*whole.shape[:2], -1)


def hidden(items: int, patches: int, share: float, device: torch.device) -> Bool[Tensor, "b n"]:
    """As many of each item, at random: a share of all, but neither none nor all."""
    count = min(max(round(share * patches), 1), patches - 1)
    order = torch.rand(items, patches, device=device).argsort(dim=1)
    return order < count


def _size(patch: tuple[int, int], target: Target) -> tuple[int, int]:
    if target == "patch":
        return patch
    high, wide = patch
    return (1, 1) if target == "colour" else (max(1, round(high / COARSE)), max(1, round(wide / COARSE)))
