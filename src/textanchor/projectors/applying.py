"""Projectors rebuilt from what was saved, and applied to many latents."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from jaxtyping import Float32

from textanchor import registry
from textanchor.records import Ragged, Vectors

if TYPE_CHECKING:
    from torch import Tensor, nn

CHUNK, TOKEN_CHUNK = 4096, 256


def build(name: str, settings: Mapping[str, Any], state: Mapping[str, Tensor]) -> nn.Module:
    """A projector from what was saved. Raises `UnknownNameError`, or `RuntimeError`/`TypeError` if the parts do not fit.

    Nothing is allocated from `settings` alone, so a hostile size cannot exhaust memory.
    """
    import torch

    with torch.device("meta"):
        made = cast("nn.Module", registry.load("projector", name)(**settings))
    made.load_state_dict(dict(state), assign=True)
    return made.eval()


def project(projector: nn.Module, latents: Vectors | Ragged) -> Float32[np.ndarray, "n d_out"]:
    """Apply a projector to many latents. *Shape:* [n, d_in] -> [n, d_out]; tokens are padded, a chunk of items at a time."""
    import torch

    projector.eval()
    device = next((one.device for one in (*projector.parameters(), *projector.buffers())), torch.device("cpu"))
    step = CHUNK if isinstance(latents, np.ndarray) else TOKEN_CHUNK
    with torch.inference_mode():
        chunks = (tensors(latents, range(i, min(i + step, len(latents)))) for i in range(0, len(latents), step))
        vectors = [projector(*(one.to(device) for one in chunk)).cpu().numpy() for chunk in chunks]
    return np.concatenate(vectors) if vectors else np.empty((0, 0), np.float32)


def tensors(latents: Vectors | Ragged, rows: Sequence[int] | np.ndarray) -> tuple[Tensor, ...]:
    """What a projector is called with: vectors [b, d], or padded tokens [b, m, d] and the mask [b, m] of real ones."""
    import torch

    if isinstance(latents, np.ndarray):
        return (torch.from_numpy(latents[np.asarray(rows)]),)
    held = [latents[row] for row in rows]
    mask = torch.zeros(len(held), max(len(one) for one in held), dtype=torch.bool)
    padded = torch.zeros(*mask.shape, latents.tokens.shape[1])
    for row, one in enumerate(held):
        padded[row, : len(one)] = torch.from_numpy(one.astype(np.float32))
        mask[row, : len(one)] = True
    return padded, mask
