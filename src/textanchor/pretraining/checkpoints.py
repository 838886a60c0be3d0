"""Where a training stands, in one file that is replaced after every epoch."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn
from torch.optim import Optimizer

from textanchor.errors import DamagedError
from textanchor.files import write_bytes


@dataclass(frozen=True, kw_only=True)
class Standing:
    """After so many epochs: what was seen at each, and the numbers of the best look, empty where none was."""

    epoch: int
    rows: tuple[Mapping[str, float], ...]
    best: Mapping[str, Tensor]


@dataclass(frozen=True)
class Checkpoint:
    """A file of safetensors; `key` says of which training, and another one's is not gone on with."""

    file: Path
    key: str

    def write(self, learner: nn.Module, optimiser: Optimizer, standing: Standing) -> None:
        """All that the next epoch needs, whole or not at all. Random numbers are drawn anew from seed and epoch."""
        tensors = {f"now.{name}": value for name, value in learner.state_dict().items()}
        tensors |= {f"best.{name}": value for name, value in standing.best.items()}
        for place, state in optimiser.state_dict()["state"].items():
            tensors |= {f"step.{place}.{name}": torch.as_tensor(value) for name, value in state.items()}
        told = {"key": self.key, "epoch": standing.epoch, "rows": list(standing.rows)}
        whole = {name: value.detach().cpu().contiguous().clone() for name, value in tensors.items()}
        write_bytes(self.file, save(whole, {"standing": json.dumps(told)}))

    def read(self, learner: nn.Module, optimiser: Optimizer) -> Standing | None:
        """Put learner and optimiser where they stood; None where there is nothing of this training. Raises `DamagedError`."""
        if not self.file.is_file():
            return None
        try:
            with safe_open(self.file, "pt") as held:
                told: dict[str, Any] = json.loads(held.metadata()["standing"])
                if told["key"] != self.key:
                    return None
                tensors = {name: held.get_tensor(name) for name in held.keys()}  # noqa: SIM118 - it is no mapping
            learner.load_state_dict(_below("now.", tensors))
            _restore(optimiser, _below("step.", tensors))
            return Standing(epoch=told["epoch"], rows=tuple(told["rows"]), best=_below("best.", tensors))
        except (SafetensorError, OSError, KeyError, TypeError, ValueError, RuntimeError) as why:
            raise DamagedError(f"{self.file}: {str(why).splitlines()[0]}; remove it to begin anew") from None


def _below(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}


def _restore(optimiser: Optimizer, tensors: Mapping[str, Tensor]) -> None:
    state: dict[int, dict[str, Tensor]] = {}
    for name, value in tensors.items():
        place, _, entry = name.partition(".")
        state.setdefault(int(place), {})[entry] = value
    optimiser.load_state_dict({**optimiser.state_dict(), "state": state})
