"""An encoder's model as a module from tensors to latents, for exports: what stands before it is told and not computed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor, from_numpy, inference_mode, nn

from textanchor.encoders.hub import LAST, TOKENS, Front
from textanchor.encoders.hub_image import ImageFront
from textanchor.encoders.protocol import Encoder, Output


@dataclass(frozen=True, kw_only=True)
class Network:
    """A module called with tensors by the names of `inputs`, which holds an example of each, with a batch's dimension.

    `preprocessing` says in words and numbers what the inputs are made by; `folder` is where the model's own files lie.
    """

    module: nn.Module
    inputs: Mapping[str, np.ndarray]
    preprocessing: Mapping[str, Any] = field(default_factory=dict)
    folder: Path | None = None


class Pooled(nn.Module):
    """A model of Hugging Face transformers and the pool of one of its layers; `before` tokens stand before those of patches.

    `layer` None is the model's last hidden state. For pictures of one size: the number of tokens is fixed.
    """

    def __init__(self, model: nn.Module, *, layer: int | None, pool: str, before: int, keywords: Mapping[str, bool]) -> None:
        super().__init__()
        self.model, self.layer, self.pool, self.before, self.keywords = model, layer, pool, before, dict(keywords)

    def forward(self, **inputs: Tensor) -> Tensor:
        """Latents [n, d]."""
        out = self.model(**inputs, output_hidden_states=self.layer is not None, **self.keywords)
        if self.pool == "pooler":
            pooled: Tensor = out.pooler_output.flatten(1)
            return pooled
        hidden: Tensor = out.last_hidden_state if self.layer is None else out.hidden_states[self.layer]
        tokens = hidden.flatten(2).transpose(1, 2) if hidden.ndim == 4 else hidden
        if self.pool == "cls":
            return tokens[:, 0]
        patches = tokens[:, self.before :]
        return patches.amax(dim=1) if self.pool == "max" else patches.mean(dim=1)


def network_of(encoder: Encoder) -> Network | None:
    """An encoder's network; None for one that has none, such as features without weights."""
    network: Network | None = getattr(encoder, "network", None)
    return network


def hub_network(model: nn.Module, front: Front, outputs: Sequence[Output], folder: Path | None) -> Network | None:
    """Of an image model of Hugging Face transformers that gives one vector; None for anything else."""
    layer, pool = (part.partition("=")[2] for part in outputs[0].name.split(","))
    if len(outputs) > 1 or pool == TOKENS or not isinstance(front, ImageFront):
        return None
    pixels = front.prepare(front.blank())["pixel_values"]
    depth = None if layer == LAST else int(layer)
    keywords = front.keywords()
    before = front.prefix(_tokens(model, pixels, keywords), {"pixel_values": pixels})
    module = Pooled(model, layer=depth, pool=pool, before=before, keywords=keywords)
    size = front.size
    told = {
        "by": "the model's own image processor, whose settings stand in preprocessor_config.json, by Pillow",
        "first": f"the picture as a square of {size} pixels, without further resizing or cropping" if size else "nothing",
    }
    return Network(module=module.eval(), inputs={"pixel_values": pixels[None]}, preprocessing=told, folder=folder)


def _tokens(model: nn.Module, pixels: np.ndarray, keywords: Mapping[str, bool]) -> int:
    """How many tokens a picture makes; for feature maps the number does not matter."""
    device = next(model.parameters()).device
    with inference_mode():
        states = model(pixel_values=from_numpy(pixels)[None].to(device), **keywords).last_hidden_state
    return 0 if states.ndim == 4 else int(states.shape[1])


def image_network(model: Any, pixels: np.ndarray, name: str) -> Network | None:
    """Of a model that takes squares of one size."""
    if not isinstance(model, nn.Module):
        return None
    told = {"by": f"what textanchor's encoder {name} makes of a picture", "pixels": list(pixels.shape[1:])}
    return Network(module=Keyword(model), inputs={"pixel_values": pixels[None]}, preprocessing=told)


class Keyword(nn.Module):
    """A module of one tensor, called by the tensor's name."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, pixel_values: Tensor) -> Tensor:
        """What the model gives."""
        out: Tensor = self.model(pixel_values)
        return out
