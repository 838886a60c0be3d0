"""A projector as it is kept: by name, settings and numbers, and built when it is first applied."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from textanchor.errors import DamagedError
from textanchor.projectors.applying import build
from textanchor.projectors.protocol import Projector

if TYPE_CHECKING:
    from torch import nn


class Kept:
    """What a space holds of a projector. Comparing what was embedded before needs no network, and so no import of one."""

    def __init__(self, name: str, settings: Mapping[str, Any], numbers: Mapping[str, np.ndarray]) -> None:
        self.name, self.settings, self.numbers = name, settings, numbers

    @classmethod
    def of(cls, made: nn.Module | Kept) -> Kept:
        """A projector that is built already."""
        if isinstance(made, Kept):
            return made
        told = cast(Projector, made)
        kept = cls(told.name, told.settings, {key: value.cpu().numpy() for key, value in made.state_dict().items()})
        kept.module = made
        return kept

    def __repr__(self) -> str:
        return f"{self.name}({', '.join(f'{key}={value}' for key, value in self.settings.items())})"

    @cached_property
    def module(self) -> nn.Module:
        """Raises `DamagedError` if the numbers do not fit the settings."""
        from torch import from_numpy

        state = {key: from_numpy(np.array(value)) for key, value in self.numbers.items()}
        try:
            return build(self.name, self.settings, state)
        except (RuntimeError, TypeError, ValueError, KeyError) as why:
            raise DamagedError(f"projector {self.name} is incomplete or altered ({why!r:.120}); fit the space again") from None
