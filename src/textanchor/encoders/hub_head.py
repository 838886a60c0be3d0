"""The classifier that a model of Hugging Face transformers was trained with, where its scores follow from its latents."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from textanchor.encoders._hf import quiet
from textanchor.records import Head

if TYPE_CHECKING:
    from textanchor.encoders.hub import Hub

CLASSIFIERS = ("ForImageClassification", "ForAudioClassification", "ForSequenceClassification")
PARTS = ("projector", "classifier")  # in the order in which they are applied


def head_of(folder: Path, hub: Hub) -> Head | None:
    """The head, or None for a model without names, or whose scores are no linear function of the latents that `hub` gives.

    That is tried and not guessed: the whole model's scores of an item are compared with those of the head.
    """
    import torch
    import transformers

    config = transformers.AutoConfig.from_pretrained(folder)
    labels = names_of(getattr(config, "id2label", None))
    architecture = next((name for name in config.architectures or () if name.endswith(CLASSIFIERS)), None)
    if not labels or architecture is None or len(hub.outputs) != 1 or hub.outputs[0].ragged:
        return None
    with quiet():
        whole = getattr(transformers, architecture).from_pretrained(folder).eval()
    head = _linear(whole, labels)
    if head is None or head.weight.shape[1] != hub.dim:
        return None
    prepared = hub.prepare(hub.sample())
    inputs = {key: torch.from_numpy(value)[None] for key, value in prepared.items() if not key.startswith("_")}
    with torch.inference_mode():
        scores = whole(**inputs).logits.numpy()
    (latents,) = hub.forward([prepared])
    return head if np.allclose(head.scores(latents), scores, rtol=1e-2, atol=1e-2) else None


def names_of(labels: Mapping[Any, str] | None) -> tuple[tuple[str, ...], ...]:
    """Synonyms of each class by its number; nothing for labels that are only numbered."""
    if not labels or all(str(name).upper().startswith("LABEL_") for name in labels.values()):
        return ()
    ordered = [str(name) for _, name in sorted(labels.items(), key=lambda entry: int(entry[0]))]
    return tuple(tuple(one.strip() for one in name.replace("_", " ").split(",") if one.strip()) or (name,) for name in ordered)


def _linear(whole: Any, labels: tuple[tuple[str, ...], ...]) -> Head | None:
    """The modules behind the pooled features as one linear map; None for anything that is none."""
    from torch import nn

    layers = [layer for part in PARTS if hasattr(whole, part) for layer in getattr(whole, part).modules()]
    layers = [layer for layer in layers if not list(layer.children()) and not isinstance(layer, nn.Dropout | nn.Flatten)]
    first = layers[0] if layers and isinstance(layers[0], nn.LayerNorm) else None
    linear = layers[1:] if first is not None else layers
    if not linear or not all(isinstance(layer, nn.Linear) for layer in linear) or linear[-1].out_features != len(labels):
        return None
    weight, bias = np.eye(linear[0].in_features), np.zeros(linear[0].in_features)
    if first is not None:
        weight, bias = np.diag(_array(first.weight)), _array(first.bias)
    for layer in linear:
        matrix = _array(layer.weight)
        weight, bias = matrix @ weight, matrix @ bias + (0 if layer.bias is None else _array(layer.bias))
    return Head(names=labels, weight=weight.astype(np.float32), bias=bias.astype(np.float32), standardise=first is not None)


def _array(parameter: Any) -> np.ndarray:
    return cast(np.ndarray, parameter.detach().double().cpu().numpy())
