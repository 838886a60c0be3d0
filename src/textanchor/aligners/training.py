"""Projectors trained on pairs: the loss of batches of items and their texts, for the training loop."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor, nn

from textanchor import registry
from textanchor.aligners.loop import Objective, Stage, follow, moved, seeded
from textanchor.losses import Batch
from textanchor.projectors import tensors
from textanchor.records import PairedLatents, View

BANK_LIMIT = 2048

Sample = Callable[[np.random.Generator], Tensor]  # the loss of something drawn at random


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
    device: str,
    stop: int,
    seed: int,
    watch: Callable[[int], None] | None,
    beside: Sample | None = None,
) -> float:
    """Train for `stop` epochs, in each of which every item comes once, with one of its texts; the last loss.

    The loss sees what the view makes of projected items and of texts; `beside` is added to it.
    `watch` is called after every fifth epoch and the last.
    The projector is on the device meanwhile, and on the CPU when this returns. Raises `InputError` if training diverges.
    """
    with seeded(seed, device), moved(projector, device):
        loss: nn.Module = registry.part("loss", plan.loss).to(device)
        free = [one for one in (*projector.parameters(), *loss.parameters()) if one.requires_grad]
        optimiser = torch.optim.AdamW(free, plan.rate, weight_decay=plan.decay, fused=True)
        objective: Objective = _Naming(projector, loss, plan, train, view, device)
        stage = Stage(
            objective=objective if beside is None else _Both(objective, beside),
            module=projector,
            optimisers=[optimiser],
            items=len(train.items),
            batch=plan.batch,
            epochs=stop,
        )
        fall = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, plan.epochs * stage.batches)
        return follow(replace(stage, schedules=[fall]), np.random.default_rng(seed), watch)


class _Both:
    """An objective, and the loss of a sample added to each of its batches."""

    def __init__(self, objective: Objective, sample: Sample) -> None:
        self._objective, self._sample = objective, sample

    def begin(self, rng: np.random.Generator) -> None:
        self._objective.begin(rng)

    def __call__(self, rows: np.ndarray, rng: np.random.Generator) -> Tensor:
        return self._objective(rows, rng) + self._sample(rng)


class _Naming:
    """The loss of items against their texts; with mixup, of mixed latents against the texts of both, by their shares."""

    def __init__(
        self, projector: nn.Module, loss: nn.Module, plan: Plan, train: PairedLatents, view: View, device: str
    ) -> None:
        self._projector, self._loss, self._plan = projector, loss, plan
        self._train, self._view, self._device = train, view, device
        self._anchors = torch.from_numpy(view.text(train.anchors)).to(device)
        self._text_of = np.empty(0, dtype=np.int64)

    def begin(self, rng: np.random.Generator) -> None:
        self._text_of = _one_text_each(self._train, rng)

    def __call__(self, rows: np.ndarray, rng: np.random.Generator) -> Tensor:
        train, mixup = self._train, self._plan.mixup
        relevant = train.relevant[rows]
        bank = bank_of(train, rows, rng) if getattr(self._loss, "whole_bank", False) else np.unique(relevant.indices)
        own = self._there(torch.from_numpy(relevant[:, bank].toarray()))
        chosen = self._there(torch.from_numpy(np.searchsorted(bank, self._text_of[rows])))
        anchors = self._anchors[self._there(torch.from_numpy(bank))]
        inputs = tuple(map(self._there, tensors(train.inputs, rows)))
        if not mixup:
            return self._lost(Batch(item=self._viewed(*inputs), bank=anchors, chosen=chosen, own=own))
        keep, other = float(rng.beta(mixup, mixup)), self._there(torch.from_numpy(rng.permutation(len(rows))))
        mixed = self._viewed(keep * inputs[0] + (1 - keep) * inputs[0][other], *inputs[1:])
        batch = Batch(item=mixed, bank=anchors, chosen=chosen, own=own)
        return keep * self._lost(batch) + (1 - keep) * self._lost(batch.take(other, item=mixed))

    def _lost(self, batch: Batch) -> Tensor:
        loss: Tensor = self._loss(batch)
        return loss

    def _viewed(self, *inputs: Tensor) -> Tensor:
        return self._view.item.on(self._projector(*inputs))

    def _there(self, tensor: Tensor) -> Tensor:
        return tensor.to(self._device)


def _one_text_each(train: PairedLatents, rng: np.random.Generator) -> np.ndarray:
    order = rng.permutation(len(train.edges))
    chosen = np.empty(len(train.items), dtype=np.int64)
    chosen[train.edges[order, 0]] = train.edges[order, 1]
    return chosen


def bank_of(train: PairedLatents, rows: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Text rows to classify among, in order: all, or the batch's own and a random 2048 where there are more."""
    if len(train.texts) <= BANK_LIMIT:
        return np.arange(len(train.texts))
    own = np.unique(train.relevant[rows].indices)
    return np.union1d(own, rng.choice(len(train.texts), BANK_LIMIT, replace=False))
