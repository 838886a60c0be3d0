"""Projectors: small maps from latents into the anchor's space, as plain `nn.Module`s that can be saved and rebuilt.

A projector has `settings`, the keyword arguments that build it anew; its numbers are its `state_dict`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol, cast, runtime_checkable

import numpy as np
import torch
from jaxtyping import Float32
from torch import Tensor, nn

from textanchor import registry

CHUNK = 4096


@runtime_checkable
class Projector(Protocol):
    """What an aligner returns: call it on latents [n, d_in] to get vectors [n, d_out]."""

    name: str
    settings: Mapping[str, Any]

    def __call__(self, latents: Tensor) -> Tensor:
        """*Shape:* [n, d_in] -> [n, d_out]."""


def build(name: str, settings: Mapping[str, Any], state: Mapping[str, Tensor]) -> nn.Module:
    """A projector from what was saved. Raises `UnknownNameError`, or `RuntimeError`/`TypeError` if the parts do not fit.

    Nothing is allocated from `settings` alone, so a hostile size cannot exhaust memory.
    """
    with torch.device("meta"):
        made = cast(nn.Module, registry.load("projector", name)(**settings))
    made.load_state_dict(dict(state), assign=True)
    return made.eval()


def project(projector: nn.Module, latents: Float32[np.ndarray, "n d_in"]) -> Float32[np.ndarray, "n d_out"]:
    """Apply a projector to many latents. *Shape:* [n, d_in] -> [n, d_out]."""
    projector.eval()
    with torch.inference_mode():
        parts = [projector(torch.from_numpy(latents[i : i + CHUNK])) for i in range(0, len(latents), CHUNK)]
    return np.concatenate([part.cpu().numpy() for part in parts]) if parts else np.empty((0, 0), np.float32)
