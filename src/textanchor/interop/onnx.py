"""A modality of a space, or its texts, as an ONNX graph: the projector alone, or with the encoder before it."""

from __future__ import annotations

import copy
import shutil
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor, nn

from textanchor.config import installed
from textanchor.encoders.networks import Network, network_of
from textanchor.errors import InputError, MissingError
from textanchor.files import file_digest, located, new_folder, write_json
from textanchor.interop.comparing import compared
from textanchor.interop.reading_texts import text_network
from textanchor.projectors import Projector
from textanchor.space import TEXT, Space
from textanchor.space.storage import fingerprint

FACTS, GRAPH, FORMAT, OPSET = "textanchor.json", "model.onnx", "textanchor-onnx", 17
PROCESSORS = ("preprocessor_config.json", "tokenizer.json")
BOUND = 1e-5  # largest difference to our own numbers, in units of the largest of them or of 1


@dataclass(frozen=True, kw_only=True)
class Graph:
    """What is exported: a module called with tensors in the order of `inputs`, examples with a batch's dimension."""

    module: nn.Module
    inputs: Mapping[str, np.ndarray]
    lengths: Mapping[str, str] = field(default_factory=dict)  # of the second dimension of inputs that may be of any length
    preprocessing: Mapping[str, Any] = field(default_factory=dict)
    folder: Path | None = None


def export_onnx(
    space: Space,
    folder: str | Path,
    *,
    modality: str,
    whole: bool = False,
    compared_with: str | None = None,
    overwrite: bool = False,
) -> Path:
    """Write `model.onnx` and `textanchor.json`, which says inputs, preprocessing and fingerprint; the folder.

    The graph takes latents [n, d_in] and gives vectors [n, d] of any number of items; with `whole` it holds the encoder too:
    `pixel_values` for images, `input_ids` and `attention_mask` for the modality `text`. Vectors are raw, or with
    `compared_with` as they are compared with that modality, of length 1. The graph is tried before it is handed over.
    Raises `InputError` for what no graph can be made of, with the reason, `MissingError` without the extra `[onnx]`.
    """
    check_installed()
    graph = graph_of(space, modality, whole=whole, compared_with=compared_with)
    target = located(folder)
    with new_folder(target, overwrite=overwrite, marker=FACTS, sign=FORMAT) as new:
        difference = write_graph(graph, new / GRAPH)
        for path in (graph.folder / name for name in PROCESSORS if graph.folder):
            if path.is_file():
                shutil.copyfile(path, new / path.name)
        write_json(new / FACTS, _facts(space, graph, modality, compared_with, new / GRAPH, difference))
    return target


def write_graph(graph: Graph, file: Path) -> float:
    """The graph as a file that was tried; the largest difference to our vectors. Raises `InputError` for what differs more."""
    apart = replace(graph, module=copy.deepcopy(graph.module).cpu().eval())  # the exporter changes what it is given
    _write(apart, file)
    difference = _tried(apart, file)
    if not difference <= BOUND:
        raise InputError(f"the graph's vectors differ from ours by {difference:.1e}; it is not handed over")
    return difference


def graph_of(space: Space, modality: str, *, whole: bool, compared_with: str | None) -> Graph:
    """What is exported of a modality or of texts. Raises `InputError` with the reason if it cannot be."""
    after = compared(space, modality, compared_with)
    if modality == TEXT:
        if not whole:
            raise InputError("texts have no projector: the anchor's vectors are the space's; export the anchor with --whole")
        network = text_network(space)
        lengths = dict.fromkeys(network.inputs, "t")
        return Graph(
            module=_Steps(network, after),
            inputs=network.inputs,
            lengths=lengths,
            preprocessing=network.preprocessing,
            folder=network.folder,
        )
    if modality not in space.modalities:
        space.geometry.side(modality)
        raise InputError(f"{modality} is composed of others and has no projector of its own; export its parts' modalities")
    projector = space.modalities[modality].projector.module.eval()
    if not whole:
        return _of_latents(projector, after)
    network = _network(space, modality)
    return Graph(
        module=_Steps(network, projector, after),
        inputs=network.inputs,
        preprocessing=network.preprocessing,
        folder=network.folder,
    )


def _of_latents(projector: nn.Module, after: nn.Module) -> Graph:
    rng, width = np.random.default_rng(0), int(cast(Projector, projector).settings["dim_in"])
    if getattr(projector, "ragged", False):
        tokens = rng.normal(size=(2, 5, width)).astype(np.float32)
        mask = np.arange(5)[None] < np.array([[5], [3]])
        inputs, lengths = {"tokens": tokens, "mask": mask}, {"tokens": "m", "mask": "m"}
    else:
        inputs, lengths = {"latents": rng.normal(size=(2, width)).astype(np.float32)}, {}
    told = {"by": "the encoder that stands under `encoder`"}
    return Graph(module=_InOrder(projector, after), inputs=inputs, lengths=lengths, preprocessing=told)


def _network(space: Space, modality: str) -> Network:
    network = network_of(space.encoder(modality))
    if network is None:
        raise InputError(
            f"{modality}: encoder {space.modalities[modality].encoder} cannot be a part of a graph; expected an image model "
            "of hub:, timm: or efficientnet-lite0 that gives one vector in full precision; export the projector alone, "
            "which takes this encoder's latents"
        )
    return network


class _InOrder(nn.Module):
    """Modules one after the other, the first of which may take several tensors."""

    def __init__(self, *steps: nn.Module) -> None:
        super().__init__()
        self.steps = nn.ModuleList(steps)

    def forward(self, *inputs: Tensor) -> Tensor:
        """Vectors [n, d]."""
        first, *rest = self.steps
        values: Tensor = first(*inputs)
        for step in rest:
            values = step(values)
        return values


class _Steps(nn.Module):
    """A network that is called by the names of its inputs, and what comes after it."""

    def __init__(self, network: Network, *after: nn.Module) -> None:
        super().__init__()
        self.network, self.after, self.names = network.module, nn.Sequential(*after), tuple(network.inputs)

    def forward(self, *inputs: Tensor) -> Tensor:
        """Vectors [n, d]."""
        vectors: Tensor = self.after(self.network(**dict(zip(self.names, inputs, strict=True))))
        return vectors


def _write(graph: Graph, file: Path) -> None:
    """By torch's exporter of traces, which needs no further package than onnx."""
    axes = {name: {0: "n", **({1: graph.lengths[name]} if name in graph.lengths else {})} for name in graph.inputs}
    inputs = tuple(torch.from_numpy(np.repeat(value, 2, axis=0)[:2]) for value in graph.inputs.values())
    try:
        with warnings.catch_warnings(), torch.inference_mode():
            warnings.simplefilter("ignore")
            torch.onnx.export(
                graph.module,
                inputs,
                str(file),
                dynamo=False,
                opset_version=OPSET,
                input_names=list(graph.inputs),
                output_names=["vectors"],
                dynamic_axes={**axes, "vectors": {0: "n"}},
            )
    except Exception as why:  # the exporter's errors, and those of the model that is traced, share no public base
        raise InputError(f"no ONNX graph can be made of this model: {' '.join(str(why).split())[:200]}") from None


def _tried(graph: Graph, file: Path) -> float:
    """Largest difference between the graph's vectors and ours, of several numbers and lengths of items, relative to the largest
    number."""
    import onnxruntime

    session = onnxruntime.InferenceSession(str(file), providers=["CPUExecutionProvider"])
    worst = 0.0
    for count, share in ((1, 1.0), (2, 0.5), (5, 1.0)):
        inputs = {name: np.resize(value, (count, *value.shape[1:])) for name, value in graph.inputs.items()}
        for name in graph.lengths:
            inputs[name] = inputs[name][:, : max(2, int(inputs[name].shape[1] * share))]
        inputs = {name: _varied(value, count) for name, value in inputs.items()}
        (found,) = session.run(["vectors"], inputs)
        with torch.inference_mode():
            ours = graph.module(*(torch.from_numpy(value) for value in inputs.values())).numpy()
        worst = max(worst, float(np.abs(found - ours).max()) / max(1.0, float(np.abs(ours).max())))
    return worst


def _varied(values: np.ndarray, seed: int) -> np.ndarray:
    """Numbers with noise, so that the items of a batch differ; whole numbers and marks as they are."""
    if values.dtype != np.float32:
        return values
    return values + np.random.default_rng(seed).normal(0, 0.5, values.shape).astype(np.float32)


def _facts(
    space: Space, graph: Graph, modality: str, compared_with: str | None, file: Path, difference: float
) -> dict[str, Any]:
    fitted = space.modalities.get(modality)
    return {
        "format": FORMAT,
        "version": 1,
        "textanchor": installed("textanchor"),
        "modality": modality,
        "anchor": space.anchor,
        "encoder": fitted.encoder if fitted else space.anchor,
        "encoder fingerprint": fitted.fingerprint if fitted else space.anchor_fingerprint,
        "fingerprint": fingerprint(space, only=modality) if fitted else space.anchor_fingerprint,
        "inputs": [_input(graph, name) for name in graph.inputs],
        "output": {"name": "vectors", "shape": ["n", "d"], "type": "float32"},
        "compared with": compared_with,
        "length 1": compared_with is not None or modality == TEXT,
        "preprocessing": dict(graph.preprocessing),
        "difference": difference,
        "sha256": file_digest(file),
    }


def _input(graph: Graph, name: str) -> dict[str, Any]:
    value = graph.inputs[name]
    shape: list[Any] = ["n", *value.shape[1:]]
    if name in graph.lengths:
        shape[1] = graph.lengths[name]
    return {"name": name, "shape": shape, "type": str(value.dtype)}


def check_installed() -> None:
    """Raises `MissingError` without the extra."""
    if installed("onnx") is None:
        raise MissingError("onnx is not installed; get it with: pip install 'textanchor[onnx]'")
