"""The training loop."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from textanchor import registry
from textanchor.errors import InputError
from textanchor.losses import Batch
from textanchor.projectors import tensors
from textanchor.records import PairedLatents, View

BANK_LIMIT = 2048
LOOK = 5  # epochs between two looks at validation


@dataclass(frozen=True, kw_only=True)
class Plan:
    """How to train: the loss by name, and AdamW's numbers. The rate falls along a cosine of `epochs`."""

    loss: str
    epochs: int
    rate: float
    decay: float
    batch: int
    mixup: float


def trained(
    projector: nn.Module,
    plan: Plan,
    train: PairedLatents,
    view: View,
    *,
    stop: int,
    seed: int,
    watch: Callable[[int], None] | None,
) -> float:
    """Train for `stop` epochs, in each of which every item comes once, with one of its texts; the last loss.

    The loss sees what the view makes of projected items and of texts. `watch` is called after every fifth epoch and the last.
    Raises `InputError` if training diverges.
    """
    rng = np.random.default_rng(seed)
    anchors = torch.from_numpy(view.text(train.anchors))
    count = math.ceil(len(train.items) / plan.batch)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        loss: nn.Module = registry.part("loss", plan.loss)
        moved = [one for one in (*projector.parameters(), *loss.parameters()) if one.requires_grad]
        optimiser = torch.optim.AdamW(moved, plan.rate, weight_decay=plan.decay, fused=True)
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, plan.epochs * count)
        for epoch in range(1, stop + 1):
            projector.train()
            text_of = _one_text_each(train, rng)
            for rows in np.array_split(rng.permutation(len(train.items)), count):
                value = _step(projector, loss, plan, train, view, anchors, rows, text_of, rng)
                optimiser.zero_grad()
                value.backward()  # type: ignore[no-untyped-call]
                optimiser.step()
                schedule.step()
            if not bool(value.isfinite()):
                raise InputError(
                    f"the loss is no number any more after {epoch} epochs at rate={plan.rate:g}; take a smaller one"
                )
            if watch is not None and (epoch % LOOK == 0 or epoch == stop):
                projector.eval()
                watch(epoch)
    projector.eval()
    return float(value.detach())


def _step(
    projector: nn.Module,
    loss: nn.Module,
    plan: Plan,
    train: PairedLatents,
    view: View,
    anchors: Tensor,
    rows: np.ndarray,
    text_of: np.ndarray,
    rng: np.random.Generator,
) -> Tensor:
    """The loss of one batch; with mixup, of mixed latents against the texts of both, by their shares."""
    relevant = train.relevant[rows]
    bank = _bank(train, rows, rng) if getattr(loss, "whole_bank", False) else np.unique(relevant.indices)
    own = torch.from_numpy(relevant[:, bank].toarray())
    chosen = torch.from_numpy(np.searchsorted(bank, text_of[rows]))
    inputs = tensors(train.inputs, rows)
    if not plan.mixup:
        batch = Batch(item=_viewed(projector(*inputs), view), bank=anchors[bank], chosen=chosen, own=own)
        return loss(batch)
    keep, other = float(rng.beta(plan.mixup, plan.mixup)), torch.from_numpy(rng.permutation(len(rows)))
    mixed = _viewed(projector(keep * inputs[0] + (1 - keep) * inputs[0][other], *inputs[1:]), view)
    batch = Batch(item=mixed, bank=anchors[bank], chosen=chosen, own=own)
    return keep * loss(batch) + (1 - keep) * loss(batch.take(other, item=mixed))


def _viewed(raw: Tensor, view: View) -> Tensor:
    return view.item.on(raw)


def _one_text_each(train: PairedLatents, rng: np.random.Generator) -> np.ndarray:
    order = rng.permutation(len(train.edges))
    chosen = np.empty(len(train.items), dtype=np.int64)
    chosen[train.edges[order, 0]] = train.edges[order, 1]
    return chosen


def _bank(train: PairedLatents, rows: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Text rows to classify among, in order: all, or the batch's own and a random 2048 where there are more."""
    if len(train.texts) <= BANK_LIMIT:
        return np.arange(len(train.texts))
    own = np.unique(train.relevant[rows].indices)
    return np.union1d(own, rng.choice(len(train.texts), BANK_LIMIT, replace=False))
