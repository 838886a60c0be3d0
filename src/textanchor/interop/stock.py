"""Projectors and views as layers that other libraries have: affine maps with an activation between them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import cast

import torch
from torch import Tensor, nn

from textanchor.projectors.chain import Chain
from textanchor.projectors.linear import Linear
from textanchor.projectors.mlp import MLP
from textanchor.records import Affine
from textanchor.records.views import Map


@dataclass(frozen=True, kw_only=True)
class Layer:
    """activation(x W' + b), with `weight` [out, in] and `bias` [out] in double precision."""

    weight: Tensor
    bias: Tensor
    activation: type[nn.Module] = nn.Identity


def layers_of(projector: nn.Module) -> list[Layer] | None:
    """An affine or one-hidden-layer projector, or several of them in a row; None for any other."""
    if isinstance(projector, Linear):
        return [_layer(projector.map)]
    if isinstance(projector, Chain):
        first, second = layers_of(projector.first), layers_of(projector.second)
        return None if first is None or second is None else [*first, *second]
    if isinstance(projector, MLP):
        hidden, last = (_layer(cast(nn.Linear, projector.layers[place])) for place in (0, 3))
        weight = hidden.weight / projector.scale.cpu().double()
        bias = hidden.bias - weight @ projector.mean.cpu().double()
        offset = projector.offset.cpu().double()
        return [Layer(weight=weight, bias=bias, activation=nn.GELU), replace(last, bias=last.bias + offset)]
    return None


def layers_of_map(held: Map | None) -> list[Layer] | None:
    """One side of a view; nothing for the identity, None for one that is no affine map."""
    if held is None:
        return []
    if not isinstance(held, Affine):
        return None
    mean = torch.from_numpy(held.mean).double()
    matrix = torch.eye(len(mean)).double() if held.matrix is None else torch.from_numpy(held.matrix).double()
    return [Layer(weight=matrix.T, bias=-mean @ matrix)]


def of_patches(width: int, tokens: int) -> Layer:
    """The mean of all tokens but the first, from [first, mean of all] side by side. *Shape:* [2 width] -> [width]."""
    eye = torch.eye(width).double()
    return Layer(weight=torch.cat([-eye, eye * tokens], dim=1) / (tokens - 1), bias=torch.zeros(width).double())


def joined(layers: list[Layer]) -> list[Layer]:
    """The same with affine maps that follow one another as one."""
    found: list[Layer] = []
    for layer in layers:
        if found and found[-1].activation is nn.Identity:
            before = found.pop()
            weight, bias = layer.weight @ before.weight, layer.weight @ before.bias + layer.bias
            layer = replace(layer, weight=weight, bias=bias)
        found.append(layer)
    return found


def _layer(linear: nn.Linear) -> Layer:
    return Layer(weight=linear.weight.detach().cpu().double(), bias=linear.bias.detach().cpu().double())
