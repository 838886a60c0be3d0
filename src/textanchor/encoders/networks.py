"""An encoder's model as a module from tensors to latents, for exports: what stands before it is told and not computed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor, from_numpy, inference_mode, nn

from textanchor.encoders._image_model import Cropped
from textanchor.encoders.hub import LAST, TOKENS
from textanchor.encoders.hub_front import Front
from textanchor.encoders.protocol import Encoder, Output


@dataclass(frozen=True, kw_only=True)
class Network:
    """A module called with tensors by the names of `inputs`, which holds an example of each, with a batch's dimension.

    `preprocessing` says in words and numbers what the inputs are made by; `folder` is where the model's own files lie, and
    `processor` the library's object that makes the inputs, or `cropped` ours, where one does.
    """

    module: nn.Module
    inputs: Mapping[str, np.ndarray]
    preprocessing: Mapping[str, Any] = field(default_factory=dict)
    folder: Path | None = None
    processor: Any = None
    cropped: Cropped | None = None


class Pooled(nn.Module):
    """A model of Hugging Face transformers and the pool of one of its layers, for inputs of one size.

    `layer` None is the last hidden state. Of so many `tokens` (0: a feature map) `before` stand before those of patches or
    frames. `gives_vectors` says that the model's own pooler leaves nothing to be pooled.
    """

    def __init__(
        self,
        model: nn.Module,
        *,
        layer: int | None,
        pool: str,
        before: int,
        tokens: int,
        keywords: Mapping[str, bool],
        gives_vectors: bool,
    ) -> None:
        super().__init__()
        self.model, self.layer, self.pool, self.before, self.tokens = model, layer, pool, before, tokens
        self.keywords, self.gives_vectors = dict(keywords), gives_vectors

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
    """Of a model of Hugging Face transformers whose inputs have one size and that gives one vector; None for anything else."""
    layer, pool = (part.partition("=")[2] for part in outputs[0].name.split(","))
    if len(outputs) > 1 or pool == TOKENS or not front.even:
        return None
    inputs = {name: value[None] for name, value in front.prepare(front.blank()).items()}
    module = hub_pooled(model, front, layer=layer, pool=pool).eval()
    return Network(module=module, inputs=inputs, preprocessing=front.told(), folder=folder, processor=front.processor())


def hub_pooled(model: nn.Module, front: Front, *, layer: str, pool: str) -> Pooled:
    """A model of Hugging Face transformers and one pool of one of its layers, as an encoder of it pools a blank item."""
    blank = {name: np.asarray(value) for name, value in front.prepare(front.blank()).items() if not name.startswith("_")}
    keywords, device = front.keywords(), next(model.parameters()).device
    with inference_mode():
        out = model(**{name: from_numpy(value)[None].to(device) for name, value in blank.items()}, **keywords)
    tokens = 0 if out.last_hidden_state.ndim == 4 else int(out.last_hidden_state.shape[1])
    return Pooled(
        model,
        layer=None if layer == LAST else int(layer),
        pool=pool,
        before=front.prefix(tokens, blank) if tokens else 0,
        tokens=tokens,
        keywords=keywords,
        gives_vectors=pool == "pooler" and out.pooler_output.ndim == 2,
    )


def image_network(model: Any, pixels: np.ndarray, name: str, cropped: Cropped | None) -> Network | None:
    """Of a model that takes squares of one size."""
    if not isinstance(model, nn.Module):
        return None
    by = "the middle of a picture: its shorter side becomes `short`, then (value / full - mean) / std by channel"
    told = {"by": f"what textanchor's encoder {name} does"} if cropped is None else {"by": by, **asdict(cropped)}
    return Network(module=Keyword(model), inputs={"pixel_values": pixels[None]}, preprocessing=told, cropped=cropped)


class Keyword(nn.Module):
    """A module of one tensor, called by the tensor's name."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, pixel_values: Tensor) -> Tensor:
        """What the model gives."""
        out: Tensor = self.model(pixel_values)
        return out
