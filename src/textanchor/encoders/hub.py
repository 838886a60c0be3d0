"""Image models of Hugging Face transformers, from the hub or from a folder."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from textanchor.encoders import Spec
from textanchor.encoders._hf import missing_model, quiet, weights_hash
from textanchor.errors import InputError
from textanchor.files import digest
from textanchor.records import Vectors

POOLS = ("mean", "max", "cls", "pooler")


class HubImage:
    """Pooled features of one layer; `pooler` is the model's own pooled output."""

    modality = "image"

    def __init__(self, model: Any, processor: Any, *, layer: int | None, pool: str, size: int | None) -> None:
        self._model, self._processor = model, processor
        self._layer, self._pool = layer, pool
        self._resize = {"size": {"height": size, "width": size}, "do_center_crop": False} if size else {}
        fixed = size and "interpolate_pos_encoding" in inspect.signature(model.forward).parameters
        self._more = {"interpolate_pos_encoding": True} if fixed else {}
        self.fingerprint = digest("hub-image", weights_hash(model), self._recipe(), f"{layer} {pool}")
        self.dim = self.encode([Image.new("RGB", (64, 64))]).shape[1]

    def encode(self, batch: Sequence[Image.Image]) -> Vectors:
        """*Shape:* [n, dim]."""
        import torch

        pixels = self._processor(images=list(batch), return_tensors="pt", **self._resize)["pixel_values"]
        with torch.inference_mode():
            out = self._model(
                pixel_values=pixels.to(self._model.device, self._model.dtype),
                output_hidden_states=self._layer is not None,
                **self._more,
            )
        return np.asarray(self._pooled(out).float().cpu(), dtype=np.float32)

    def _recipe(self) -> bytes:
        """What preprocessing does to a fixed image: this tells library versions apart exactly where they differ."""
        noise = np.random.default_rng(0).integers(0, 256, size=(211, 307, 3), dtype=np.uint8)
        found = self._processor(images=[Image.fromarray(noise)], return_tensors="np", **self._resize)["pixel_values"]
        return np.asarray(found, dtype=np.float32).round(4).tobytes()

    def _pooled(self, out: Any) -> Any:
        if self._pool == "pooler":
            if getattr(out, "pooler_output", None) is None:
                raise InputError("this model has no pooled output of its own; use pool=mean, max or cls")
            return out.pooler_output.flatten(1)
        hidden = out.last_hidden_state if self._layer is None else self._hidden(out.hidden_states)
        tokens = hidden.flatten(2).transpose(1, 2) if hidden.ndim == 4 else hidden  # [b, c, h, w] -> [b, h w, c]
        if self._pool == "cls":
            return tokens[:, 0]
        return tokens.amax(1) if self._pool == "max" else tokens.mean(1)

    def _hidden(self, layers: Sequence[Any]) -> Any:
        if self._layer is None or not -len(layers) <= self._layer < len(layers):
            raise InputError(f"layer={self._layer}: this model has the layers {-len(layers)} to {len(layers) - 1}")
        return layers[self._layer]


def make(spec: Spec, modality: str, device: str) -> HubImage:
    """`hub:<model id or folder>[@layer=-3,pool=mean,size=224,revision=...]`."""
    spec.only("layer", "pool", "size", "revision")
    if not spec.argument:
        raise InputError("hub: needs a model id or a folder, such as hub:facebook/dinov2-small")
    if modality != "image":
        raise InputError(f"hub: encodes images, not {modality}; for sounds use onnx:<folder> or spectrogram+hub:<model>")
    place, revision = str(Path(spec.argument).expanduser()), spec.options.get("revision")
    with quiet():
        from transformers import AutoImageProcessor, AutoModel

        try:
            model = AutoModel.from_pretrained(place, revision=revision)
            processor = AutoImageProcessor.from_pretrained(place, revision=revision, backend="pil")
        except (OSError, ValueError, RuntimeError, KeyError) as why:
            raise missing_model(f"hub:{spec.argument}", why) from None
    model = getattr(model, "vision_model", model)
    pool = spec.option("pool", "mean", among=POOLS)
    return HubImage(model.to(device).eval(), processor, layer=spec.number("layer"), pool=pool, size=spec.number("size"))
