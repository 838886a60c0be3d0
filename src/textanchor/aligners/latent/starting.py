"""Where training starts: at random, or at canonical correlation analysis of the pairs."""

from __future__ import annotations

from dataclasses import replace
from typing import cast

import numpy as np
import torch
from scipy.linalg import solve

from textanchor.aligners.latent.frames import Frames, Supply
from textanchor.aligners.latent.networks import System
from textanchor.aligners.protocol import aligner
from textanchor.projectors.linear import Linear
from textanchor.records import Affine, Fit, Task, Unpaired

RANDOM = "random"
FLOOR = 0.05  # of the canonical weights, as a share of the largest: weaker directions are kept so far
PENALTY = 1e-3  # of the decoders' least squares, in units of the latents' variance


def closed_form(start: str, task: Task) -> Fit:
    """Canonical correlation analysis of the pairs alone, its penalty chosen on validation where there is some."""
    return aligner(start).fit(replace(task, unpaired=Unpaired(), refit=False))


def begin_at(system: System, fit: Fit, frames: Frames, supply: Supply) -> None:
    """Set the linear paths: encoders to the canonical directions, decoders to the least squares back from their latents.

    A text goes to (t - mean) M c^(1/2) and an item to its regression onto texts by the same map, with the view's
    directions M and weights c, so that inner products are those of the view.
    """
    assert fit.view is not None
    items, texts = cast(Affine, fit.view.item).matrix, cast(Affine, fit.view.text).matrix
    assert items is not None
    assert texts is not None
    weight = np.linalg.norm(texts, axis=0) / np.linalg.norm(items, axis=0)
    kept = np.argsort(-weight, kind="stable")[: system.to_text.map.in_features]
    weight = np.sqrt(np.maximum(weight[kept], FLOOR * weight.max()))
    turn = torch.from_numpy((items[:, kept] * weight).astype(np.float32))
    turn /= float((supply.text.cpu() @ turn).std())
    regression = cast(Linear, fit.projector).map
    with torch.no_grad():
        system.text.line.weight.copy_(turn.T)
        system.text.line.bias.zero_()
        system.item.line.weight.copy_((regression.weight.T @ turn).T * frames.item_scale / frames.text_scale)
        off = regression.weight @ frames.item_mean + regression.bias - frames.text_mean
        system.item.line.bias.copy_(off @ turn / frames.text_scale)
        read_back(system, supply)


@torch.no_grad()
def read_back(system: System, supply: Supply) -> None:
    """Set the decoders' linear paths to the least squares from latents to what they are latents of."""
    system.eval()
    items, texts = system.item(supply.items), system.text(supply.texts)
    system.to_item.line.weight.copy_(_least_squares(items, supply.items).T)
    system.to_item.line.bias.zero_()
    read_texts(system, texts, supply.texts)


@torch.no_grad()
def read_texts(system: System, latents: torch.Tensor, texts: torch.Tensor) -> None:
    """Set the text decoder to the least squares from latents to texts."""
    system.to_text.map.weight.copy_(_least_squares(latents, texts).T)


def _least_squares(latents: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    x, y = latents.cpu().double().numpy(), targets.cpu().double().numpy()
    gram = x.T @ x
    gram.flat[:: len(gram) + 1] += PENALTY * np.trace(gram) / len(gram)
    return torch.from_numpy(solve(gram, x.T @ y, assume_a="pos").astype(np.float32))
