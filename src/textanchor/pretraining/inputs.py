"""Items as the arrays that a network is trained on, all in memory."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import nn

from textanchor.data.decoding import decode, one_line
from textanchor.encoders.own import Front, OwnNetwork
from textanchor.errors import InputError, ItemError
from textanchor.pretraining.augmenting.waves import SPEEDS, Waves
from textanchor.progress import tracked
from textanchor.records import Item, Skipped, Waveform
from textanchor.runtime import Limits, Runtime

MOST = 4 << 30  # bytes of arrays


@dataclass(frozen=True, kw_only=True)
class Inputs:
    """The arrays [n, c, h, w] of items that could be read, uint8 or float16, and what was left out with its reason."""

    items: tuple[Item, ...]
    values: np.ndarray
    skipped: tuple[Skipped, ...] = ()

    def __len__(self) -> int:
        return len(self.items)

    def take(self, rows: Sequence[int]) -> Inputs:
        """Some of them."""
        return replace(self, items=tuple(self.items[row] for row in rows), values=self.values[rows])


@dataclass(frozen=True, kw_only=True)
class Arrays:
    """Arrays [n, c, h, w] and the class of each (-1: unknown)."""

    values: np.ndarray
    labels: np.ndarray

    def __len__(self) -> int:
        return len(self.labels)

    def told(self, most: int | None = None, *, seed: int = 0) -> Arrays:
        """Those with a class, at most so many at random."""
        return self.take(np.random.default_rng(seed).permutation(np.flatnonzero(self.labels >= 0))[:most])

    def take(self, rows: Sequence[int] | np.ndarray) -> Arrays:
        """Some of them."""
        return Arrays(values=self.values[rows], labels=self.labels[rows])


def gathered(items: Sequence[Item], front: Front, runtime: Runtime) -> Inputs:
    """Decode and prepare items in threads. Raises `InputError` for more than 4 GiB."""
    _fit(len(items), "items", front)
    kept, values, skipped = [], [], []
    with ThreadPoolExecutor(runtime.workers) as pool:
        found = pool.map(partial(_one, front=front, limits=runtime.limits), items)
        for item, value in zip(items, tracked(runtime.progress, found, "read", total=len(items)), strict=True):
            if isinstance(value, ItemError):
                if runtime.strict:
                    raise value
                skipped.append(Skipped(item=item.id, reason=value.reason))
            else:
                kept.append(item)
                values.append(value)
    whole = np.stack(values) if values else np.empty((0, *front.shape), dtype=np.float16)
    return Inputs(items=tuple(kept), values=whole, skipped=tuple(skipped))


def variants(items: Sequence[Item], front: Front, count: int, runtime: Runtime, *, seed: int) -> np.ndarray:
    """Arrays [n, count, c, h, w] of sounds that were changed as waves. Raises `InputError` for more than 4 GiB."""
    _fit(len(items) * count, f"sounds, {count} variants of each,", front)
    changed, longest = Waves(), front.seconds
    found = np.empty((len(items), count, *front.shape), dtype=np.float16)
    for place, item in enumerate(tracked(runtime.progress, items, "changed", total=len(items))):
        sound = _middle(decode(item, runtime.limits), longest)
        for turn in range(count):
            found[place, turn] = front(changed(sound, (seed, place, turn)))
    return found


def _middle(sound: Waveform, seconds: float | None) -> Waveform:
    """As much as can be heard, also when it is played faster."""
    most = len(sound.samples) if seconds is None else round(seconds * sound.rate * SPEEDS[1])
    start = max(0, (len(sound.samples) - most) // 2)
    return Waveform(samples=sound.samples[start : start + most], rate=sound.rate)


def _fit(count: int, what: str, front: Front) -> None:
    size = count * int(np.prod(front.shape)) * 2
    if size > MOST:
        raise InputError(
            f"{count} {what} as {front.name} {front.shape} are {size / (1 << 30):.1f} GiB, and {MOST >> 30} is the most; "
            "take a smaller front (--front) or fewer items"
        )


def _one(item: Item, *, front: Front, limits: Limits) -> np.ndarray | ItemError:
    try:
        value = front(decode(item, limits))
    except ItemError as why:
        return why
    except (ValueError, MemoryError) as why:
        return ItemError(item.id, one_line(why))
    return value if value.dtype == np.uint8 else value.astype(np.float16)


def standardised(network: OwnNetwork, values: np.ndarray) -> None:
    """Tell the network the mean and deviation of each channel."""
    some = values[np.linspace(0, len(values) - 1, min(len(values), 2000)).astype(int)].astype(np.float32)
    mean, scale = some.mean(axis=(0, 2, 3)), some.std(axis=(0, 2, 3))
    network.standard.measured(torch.from_numpy(mean), torch.from_numpy(scale))


def latents_of(network: nn.Module, values: np.ndarray, *, device: str, batch: int = 256, **more: Any) -> np.ndarray:
    """Latents [n, d] of arrays, the network as it is now, without its training's noise."""
    was = network.training
    network.eval()
    with torch.inference_mode():
        parts = [
            network(torch.from_numpy(np.asarray(values[start : start + batch])).to(device), **more).float().cpu().numpy()
            for start in range(0, len(values), batch)
        ]
    network.train(was)
    return np.concatenate(parts)
