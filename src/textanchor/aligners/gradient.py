"""Gradient training of an MLP on cached latents."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from torch import nn

from textanchor.aligners.selection import score
from textanchor.losses.bank import BankSoftmax
from textanchor.losses.mse import MSE
from textanchor.projectors.mlp import MLP
from textanchor.records import Fit, PairedLatents, Unpaired, View
from textanchor.views.centring import centring

BANK_LIMIT = 2048


class Seed:
    """The original recipe: MLP, MSE, raw anchor vectors, AdamW, raw cosine. It is here to be measured against."""

    ragged = False

    def __init__(self, *, epochs: int = 120, rate: float = 1e-3) -> None:
        self.epochs, self.rate = epochs, rate

    def fit(self, train: PairedLatents, val: PairedLatents | None, unpaired: Unpaired, *, seed: int) -> Fit:
        """A fixed number of epochs, on train and validation together, since nothing is chosen."""
        if val is not None:
            train = train.joined(val)
        projector = _projector(train, view=None, seed=seed, dropout=0.1)
        report = _train(
            projector, MSE(), train, None, None, epochs=self.epochs, stop=self.epochs, rate=self.rate, decay=1e-2, seed=seed
        )
        return Fit(projector=projector, view=None, report=report)


class Bank:
    """MLP with a softmax over the bank of distinct anchor texts, centred; the number of epochs is chosen on validation."""

    ragged = False

    def __init__(self, *, temperature: float = 0.1, epochs: int = 60, rate: float = 1e-3) -> None:
        self.temperature, self.epochs, self.rate = temperature, epochs, rate

    def fit(self, train: PairedLatents, val: PairedLatents | None, unpaired: Unpaired, *, seed: int) -> Fit:
        """The best of every fifth epoch by validation, then as many epochs on train and validation; all of them without."""
        projector, view, report = self._fitted(train, val, self.epochs, seed)
        if val is not None:
            projector, view, again = self._fitted(train.joined(val), None, report["epochs"], seed)
            report = {**report, "last loss": again["last loss"]}
        return Fit(projector=projector, view=view, report={**report, "temperature": self.temperature})

    def _fitted(
        self, train: PairedLatents, val: PairedLatents | None, stop: int, seed: int
    ) -> tuple[MLP, View, dict[str, Any]]:
        view = centring(train.anchors)
        projector = _projector(train, view=view, seed=seed, dropout=0.3)
        loss = BankSoftmax(temperature=self.temperature)
        report = _train(projector, loss, train, val, view, epochs=self.epochs, stop=stop, rate=self.rate, decay=1e-2, seed=seed)
        return projector, view, report


def _projector(train: PairedLatents, *, view: View | None, seed: int, dropout: float) -> MLP:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        made = MLP(dim_in=train.items.vectors.shape[1], dim_out=train.anchors.shape[1], dropout=dropout)
    mean = train.items.vectors.mean(axis=0)
    made.mean.copy_(torch.from_numpy(mean))
    made.scale.fill_(max(float((train.items.vectors - mean).std()), 1e-6))
    if view is not None:
        made.offset.copy_(torch.from_numpy(view.text.mean))
    return made


def _train(
    projector: MLP,
    loss: nn.Module,
    train: PairedLatents,
    val: PairedLatents | None,
    view: View | None,
    *,
    epochs: int,
    stop: int,
    rate: float,
    decay: float,
    seed: int,
    batch: int = 256,
) -> dict[str, Any]:
    """Each epoch sees every item once, with one of its texts; the learning rate falls along a cosine of `epochs`.

    Training ends after `stop` epochs; with `val`, the report tells the best number of epochs.
    """
    rng = np.random.default_rng(seed)
    latents = torch.from_numpy(train.items.vectors)
    anchors = torch.from_numpy(train.anchors if view is None else view.text(train.anchors))
    shift = torch.zeros(()) if view is None else torch.from_numpy(view.item.mean)
    optimiser = torch.optim.AdamW(projector.parameters(), rate, weight_decay=decay, fused=True)
    steps = epochs * math.ceil(len(train.items) / batch)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps)
    best = -1.0, stop
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        for epoch in range(1, stop + 1):
            projector.train()
            text_of = _one_text_each(train, rng)
            for rows in np.array_split(rng.permutation(len(train.items)), math.ceil(len(train.items) / batch)):
                bank = _bank(train, rows, rng)
                own = torch.from_numpy(train.relevant[rows][:, bank].toarray())
                out = projector(latents[rows]) - shift
                value = loss(out, anchors[text_of[rows]], anchors[bank], own)
                optimiser.zero_grad()
                value.backward()
                optimiser.step()
                schedule.step()
            if val is not None and (epoch % 5 == 0 or epoch == stop):
                held = score(projector, view, val)
                best = max(best, (held, epoch), key=lambda entry: entry[0])
    projector.eval()
    chosen = {"chosen on": "validation", "score": best[0]} if val is not None else {"chosen on": "default"}
    return {"epochs": best[1], "last loss": float(value.detach()), **chosen}


def _one_text_each(train: PairedLatents, rng: np.random.Generator) -> np.ndarray:
    order = rng.permutation(len(train.edges))
    chosen = np.empty(len(train.items), dtype=np.int64)
    chosen[train.edges[order, 0]] = train.edges[order, 1]
    return chosen


def _bank(train: PairedLatents, rows: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Text rows to classify among: all, or the batch's own and a random 2048 where there are more."""
    if len(train.texts) <= BANK_LIMIT:
        return np.arange(len(train.texts))
    own = np.unique(train.relevant[rows].indices)
    return np.union1d(own, rng.choice(len(train.texts), BANK_LIMIT, replace=False))
