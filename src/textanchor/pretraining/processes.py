"""Several processes that train one network, if `accelerate launch` or `torchrun` started them."""

from __future__ import annotations

import os
from collections.abc import Iterable
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor, nn

from textanchor.errors import InputError, MissingError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from accelerate import PartialState


class Processes:
    """One of `count` processes, the `first` of which looks and writes. Alone, it does what a single process does."""

    def __init__(self, state: PartialState | None) -> None:
        self._state = state
        self.index = 0 if state is None else state.process_index
        self.count = 1 if state is None else state.num_processes

    @property
    def first(self) -> bool:
        """Whether this is the one that writes."""
        return self.index == 0

    def device(self, alone: str) -> str:
        """This process's own; `alone` where there is only one."""
        return alone if self._state is None else str(self._state.device)

    def share(self, rows: np.ndarray) -> np.ndarray:
        """This process's rows of a batch. Raises `InputError` for a batch that is not enough for all."""
        if len(rows) < self.count:
            raise InputError(f"a batch of {len(rows)} items for {self.count} processes; take a larger one, or fewer processes")
        return rows[self.index :: self.count]

    def average(self, tensors: Iterable[Tensor | None]) -> None:
        """Put the mean over processes in each tensor's place."""
        if self._state is None:
            return
        for one in tensors:
            if one is not None:
                torch.distributed.all_reduce(one)
                one /= self.count

    def average_statistics(self, module: nn.Module) -> None:
        """What normalisation has seen, each process on its share."""
        self.average(one for one in module.buffers() if one.is_floating_point())

    def agreed(self, row: Mapping[str, float]) -> Mapping[str, float]:
        """The first one's row, in all processes."""
        if self._state is None:
            return row
        from accelerate.utils import broadcast_object_list

        found: Mapping[str, float] = broadcast_object_list([row])[0]
        return found

    def wait(self) -> None:
        """Until all are here."""
        if self._state is not None:
            self._state.wait_for_everyone()


@lru_cache
def launched() -> Processes:
    """Those of this run. Raises `MissingError` if there are several and accelerate is not installed."""
    if int(os.environ.get("WORLD_SIZE", "1")) < 2:
        return Processes(None)
    try:
        from accelerate import PartialState
    except ImportError:
        raise MissingError("accelerate is not installed; get it with: pip install 'textanchor[accelerate]'") from None
    return Processes(PartialState(cpu=not torch.cuda.is_available()))
