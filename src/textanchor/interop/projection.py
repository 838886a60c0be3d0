"""A pool and a projector of textanchor as a module of sentence-transformers, for folders in which no stock module does it.

This file is copied into such folders and stands alone: it needs torch, safetensors and sentence-transformers, no textanchor.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from sentence_transformers.base.modules import Module
from torch import Tensor
from torch.nn.functional import gelu, layer_norm, linear, normalize

Numbers = Mapping[str, Tensor]
Settings = Mapping[str, Any]
Formula = Callable[[Tensor, Numbers, Settings], Tensor]


class Projection(Module):  # type: ignore[misc]
    """Tokens, or one vector an item, to vectors in the space. `steps` are names of formulas below with their settings."""

    config_keys = ["steps", "pool", "before"]  # noqa: RUF012 - the library asks for a list

    def __init__(
        self, steps: Sequence[Settings], pool: str | None = None, before: int = 0, numbers: Numbers | None = None
    ) -> None:
        super().__init__()
        self.steps, self.pool, self.before = steps, pool, before
        for name, value in (numbers or {}).items():
            self.register_buffer(name.replace(".", "/"), value)

    def forward(self, features: dict[str, Tensor], **_: Any) -> dict[str, Tensor]:
        """`before` tokens stand before those that are pooled."""
        if self.pool is None:
            vectors = features["sentence_embedding"]
        elif self.pool == "cls":
            vectors = features["token_embeddings"][:, 0]
        else:
            kept = features["token_embeddings"][:, self.before :]
            vectors = kept.amax(dim=1) if self.pool == "max" else kept.mean(dim=1)
        held = {name.replace("/", "."): value for name, value in self.named_buffers()}
        for place, step in enumerate(self.steps):
            vectors = FORMULAS[step["name"]](vectors, _below(held, f"{place}."), step["settings"])
        features["sentence_embedding"] = vectors
        return features

    def get_embedding_dimension(self) -> int:
        """Length of a vector."""
        return int(self.steps[-1]["settings"]["dim_out"])

    def save(self, output_path: str, *_: Any, **__: Any) -> None:
        """Settings as JSON, numbers as safetensors."""
        told = {key: getattr(self, key) for key in self.config_keys}
        Path(output_path, "config.json").write_text(json.dumps(told), encoding="utf-8")
        save_file({name: value.contiguous() for name, value in self.named_buffers()}, Path(output_path, "model.safetensors"))

    @classmethod
    def load(cls, model_name_or_path: str, **place: Any) -> Projection:
        """From a folder or the hub; `place` is what the library says of it."""
        known = ("subfolder", "token", "cache_folder", "revision", "local_files_only")
        place = {key: value for key, value in place.items() if key in known}
        config = cls.load_config(model_name_or_path, **place)
        return cls(**config, numbers=load_file(cls.load_file_path(model_name_or_path, "model.safetensors", **place)))


def _below(held: Numbers, prefix: str) -> dict[str, Tensor]:
    return {name[len(prefix) :]: value for name, value in held.items() if name.startswith(prefix)}


def _standard(x: Tensor, held: Numbers) -> Tensor:
    return (x - held["mean"]) / held["scale"]


def _one_hidden(x: Tensor, held: Numbers, name: str = "layers") -> Tensor:
    hidden = gelu(linear(x, held[f"{name}.0.weight"], held[f"{name}.0.bias"]))
    return linear(hidden, held[f"{name}.3.weight"], held[f"{name}.3.bias"])


def _linear(x: Tensor, held: Numbers, settings: Settings) -> Tensor:
    return linear(x, held["map.weight"], held["map.bias"])


def _mlp(x: Tensor, held: Numbers, settings: Settings) -> Tensor:
    return _one_hidden(_standard(x, held), held) + held["offset"]


def _skip_mlp(x: Tensor, held: Numbers, settings: Settings) -> Tensor:
    x = _standard(x, held)
    return linear(x, held["line.weight"], held["line.bias"]) + _one_hidden(x, held) + held["offset"]


def _residual_mlp(x: Tensor, held: Numbers, settings: Settings) -> Tensor:
    x, width = _standard(x, held), (settings["dim_in"],)
    for number in range(settings["blocks"]):
        own = _below(held, f"blocks.{number}.")
        inner = gelu(linear(layer_norm(x, width, own["0.weight"], own["0.bias"]), own["1.weight"], own["1.bias"]))
        x = x + linear(inner, own["4.weight"], own["4.bias"])
    x = layer_norm(x, width, held["out.0.weight"], held["out.0.bias"])
    return linear(x, held["out.1.weight"], held["out.1.bias"]) + held["offset"]


def _mixture(x: Tensor, held: Numbers, settings: Settings) -> Tensor:
    x = _standard(x, held)
    shares = linear(x, held["gate.weight"], held["gate.bias"]).softmax(dim=1)
    answers = [_one_hidden(x, held, f"experts.{number}") for number in range(settings["experts"])]
    return (shares[:, :, None] * torch.stack(answers, dim=1)).sum(dim=1) + held["offset"]


def _kernel(x: Tensor, held: Numbers, settings: Settings) -> Tensor:
    x, marks = x - held["mean"], held["landmarks"]
    squared = (x @ marks.T) * -2 + x.square().sum(1)[:, None] + marks.square().sum(1)
    return torch.exp(-held["gamma"] * squared.clamp_min(0)) @ held["coefficients"] + held["offset"]


def _relative(x: Tensor, held: Numbers, settings: Settings) -> Tensor:
    count = min(settings["k"], len(held["landmarks"]))
    near, rows = (normalize(x - held["mean"], dim=1) @ held["landmarks"].T).topk(count, dim=1)
    weight = near.clamp_min(1e-6) ** settings["power"]
    return ((weight / weight.sum(dim=1, keepdim=True))[:, :, None] * held["values"][rows]).sum(dim=1)


def _names(x: Tensor, held: Numbers, settings: Settings) -> Tensor:
    if settings.get("standardise"):
        x = layer_norm(x, (settings["dim_in"],), eps=1e-12)
    scores = linear(x, held["weight"], held["bias"]) / settings["temperature"] + held["log_shares"]
    return scores.softmax(dim=1) @ held["vectors"]


def _residual(x: Tensor, held: Numbers, settings: Settings) -> Tensor:
    base = FORMULAS[settings["base"]](x, _below(held, "base."), settings["base_settings"])
    return base + _one_hidden(_standard(x, held), held)


def _prior(x: Tensor, held: Numbers, settings: Settings) -> Tensor:
    base = FORMULAS[settings["base"]](x, _below(held, "base."), settings["base_settings"])
    named = _names(x, _below(held, "names."), settings["names_settings"])
    return base + held["weight"] * (named - held["mean"])


def _chain(x: Tensor, held: Numbers, settings: Settings) -> Tensor:
    x = FORMULAS[settings["first"]](x, _below(held, "first."), settings["first_settings"])
    return FORMULAS[settings["second"]](x, _below(held, "second."), settings["second_settings"])


def _affine(x: Tensor, held: Numbers, settings: Settings) -> Tensor:
    x = x - held["mean"] if "mean" in held else x
    return x @ held["matrix"] if "matrix" in held else x


def _unit(x: Tensor, held: Numbers, settings: Settings) -> Tensor:
    return normalize(x, dim=1)


FORMULAS: Mapping[str, Formula] = {
    "linear": _linear, "mlp": _mlp, "skip-mlp": _skip_mlp, "residual-mlp": _residual_mlp, "mixture": _mixture,
    "kernel": _kernel, "relative": _relative, "names": _names, "residual": _residual, "prior": _prior, "chain": _chain,
    "affine": _affine, "unit": _unit,
}  # fmt: skip
