"""The training loop: epochs of batches, in which one or several optimisers follow an objective."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from textanchor.errors import InputError

LOOK = 5  # epochs between two looks at validation


@runtime_checkable
class Objective(Protocol):
    """What is made smaller."""

    def begin(self, rng: np.random.Generator) -> None:
        """Draw what holds for a whole epoch."""

    def __call__(self, rows: np.ndarray, rng: np.random.Generator) -> Tensor:
        """The loss of a batch of items, one number."""


@dataclass(frozen=True, kw_only=True)
class Stage:
    """Some epochs with one objective: `items` items in batches of `batch`, each of which steps all optimisers and schedules.

    A training of several stages follows them one after the other.
    """

    objective: Objective
    module: nn.Module
    optimisers: Sequence[Optimizer]
    schedules: Sequence[LRScheduler] = ()
    items: int
    batch: int
    epochs: int

    @property
    def batches(self) -> int:
        """In an epoch."""
        return math.ceil(self.items / self.batch)


@dataclass(frozen=True, kw_only=True)
class Look:
    """After how many epochs validation was looked at, its rate then, and the numbers of the module."""

    epoch: int
    rate: float
    state: dict[str, Tensor]


class Looks:
    """Of all looks the best, the first of equals, and the last: the numbers of many would not fit into memory."""

    def __init__(self) -> None:
        self.best: Look | None = None
        self.last: Look | None = None

    def add(self, look: Look) -> None:
        """One more look."""
        self.last = look
        if self.best is None or look.rate > self.best.rate:
            self.best = look


def numbers(module: nn.Module) -> dict[str, Tensor]:
    """A copy of a module's numbers, on the CPU."""
    return {name: value.detach().cpu().clone() for name, value in module.state_dict().items()}


def follow(stage: Stage, rng: np.random.Generator, watch: Callable[[int], None] | None = None) -> float:
    """Train through a stage; the last loss. Every item comes once an epoch; `watch` is called after every fifth and the last.

    Raises `InputError` if training diverges.
    """
    loss = torch.zeros(())
    for epoch in range(1, stage.epochs + 1):
        stage.module.train()
        stage.objective.begin(rng)
        for rows in np.array_split(rng.permutation(stage.items), stage.batches):
            loss = stage.objective(rows, rng)
            for optimiser in stage.optimisers:
                optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            for optimiser in stage.optimisers:
                optimiser.step()
            for schedule in stage.schedules:
                schedule.step()
        if not bool(loss.isfinite()):
            rate = stage.optimisers[0].defaults["lr"]
            raise InputError(f"the loss is no number any more after {epoch} epochs at rate={rate:g}; take a smaller one")
        if watch is not None and (epoch % LOOK == 0 or epoch == stage.epochs):
            stage.module.eval()
            watch(epoch)
    stage.module.eval()
    return float(loss.detach())


@contextmanager
def seeded(seed: int, device: str) -> Iterator[None]:
    """Torch's random numbers from a seed, on the device too; those of the caller go on afterwards as if nothing had been."""
    with torch.random.fork_rng(devices=[torch.device(device)] if device.startswith("cuda") else []):
        torch.manual_seed(seed)
        yield


@contextmanager
def moved(module: nn.Module, device: str) -> Iterator[None]:
    """A module on a device, and back on the CPU afterwards."""
    module.to(device)
    try:
        yield
    finally:
        module.to("cpu")
