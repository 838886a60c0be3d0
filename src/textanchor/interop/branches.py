"""One modality's way through modules of sentence-transformers."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, cast

import torch
from torch import nn

from textanchor.encoders._hf import quiet
from textanchor.encoders._image_model import Cropped
from textanchor.encoders.networks import Network, Pooled, network_of
from textanchor.errors import InputError
from textanchor.interop.comparing import map_of
from textanchor.interop.onnx import check_installed, graph_of, write_graph
from textanchor.interop.reading_texts import anchor_model
from textanchor.interop.stock import Layer, joined, layers_of, layers_of_map, of_patches
from textanchor.projectors import Projector
from textanchor.records import Affine
from textanchor.records.views import Map
from textanchor.space import TEXT, Space


@dataclass(frozen=True, kw_only=True)
class Branch:
    """Modules in order; `processing` is what the library's processor is made with. `own_code` says that some are not stock."""

    modality: str
    modules: Sequence[Any]
    processing: Mapping[str, Any] = field(default_factory=dict)
    own_code: bool = False


def text_branch(space: Space, compared_with: str | None) -> Branch:
    """The anchor's own modules, length 1, and the texts' side of the view."""
    from sentence_transformers.base.modules import Normalize

    model, _, _ = anchor_model(space)
    modules = [*model.children()]
    if not isinstance(modules[-1], Normalize):
        modules.append(Normalize())
    if compared_with is None:
        return Branch(modality=TEXT, modules=modules)
    held = map_of(space, TEXT, compared_with)
    layers = layers_of_map(held)
    after = _own([_map_step(held)], _numbers_of_map(held)) if layers is None else _dense(layers)
    return Branch(modality=TEXT, modules=[*modules, *after, Normalize()], own_code=layers is None)


def item_branch(space: Space, modality: str, compared_with: str | None, scratch: Path) -> Branch:
    """A hub model, a pool, the projector and the items' side of the view; of other image models one graph for all of it.

    Files that modules are made of lie in `scratch` until they are saved. Raises `InputError` for what no module can hold.
    """
    from sentence_transformers.base.modules import Normalize

    network = network_of(space.encoder(modality))
    if network is not None and network.cropped is not None:
        return _graph_branch(space, modality, compared_with, network.cropped, scratch)
    pooled = None if network is None else network.module
    if network is None or not isinstance(pooled, Pooled):
        raise InputError(
            f"{modality}: encoder {space.modalities[modality].encoder} is no module of sentence-transformers; expected "
            "hub:<model> with one vector an item in full precision, efficientnet-lite0 or timm:<model>"
        )
    projector = space.modalities[modality].projector.module
    held = None if compared_with is None else map_of(space, modality, compared_with)
    transformer, processing = _transformer(network, pooled, modality)
    stock = _stock(pooled, projector, held)
    end = [] if compared_with is None else [Normalize()]
    after = stock if stock is not None else _in_own_code(pooled, projector, held)
    return Branch(modality=modality, modules=[transformer, *after, *end], processing=processing, own_code=stock is None)


def _graph_branch(space: Space, modality: str, compared_with: str | None, cropped: Cropped, scratch: Path) -> Branch:
    """Encoder, projector and view as one graph of ONNX, behind code that prepares pictures as the encoder does."""
    check_installed()
    from textanchor.interop.pictures import GRAPH, Pictures

    file = scratch / modality / GRAPH
    file.parent.mkdir()
    write_graph(graph_of(space, modality, whole=True, compared_with=compared_with), file)
    dim = space.embed([], modality=modality, compared_with=compared_with).shape[1]
    return Branch(modality=modality, modules=[Pictures(asdict(cropped), dim, str(file))], own_code=True)


def _transformer(network: Network, pooled: Pooled, modality: str) -> tuple[Any, Mapping[str, Any]]:
    """The library's module of the very model and its processor. Raises `InputError` where the call needs more than inputs."""
    from sentence_transformers.base.modules import Transformer

    if pooled.keywords:
        raise InputError(
            f"{modality}: the model's position encodings are bent to another size, which the library's module cannot ask for; "
            "fit with the model's own size"
        )
    output: Any = "last_hidden_state" if pooled.layer is None else ["hidden_states", pooled.layer]
    output = "pooler_output" if pooled.pool == "pooler" else output
    flat = pooled.gives_vectors
    config = {modality: {"method": "forward", "method_output_name": output}}
    processing = {"backend": "pil"} if modality == "image" else {}
    with tempfile.TemporaryDirectory() as place, quiet():
        cast(Any, pooled.model).save_pretrained(place)
        network.processor.save_pretrained(place)
        module = Transformer(
            place,
            modality_config=config,
            module_output_name="sentence_embedding" if flat else "token_embeddings",
            processor_kwargs=dict(processing),
        )
    return module, processing


def _stock(pooled: Pooled, projector: nn.Module, held: Map | None) -> list[Any] | None:
    """Pool, projector and view as stock modules; None if one of them is none."""
    from sentence_transformers.sentence_transformer.modules import Pooling

    layers, mapped = layers_of(projector), layers_of_map(held)
    if layers is None or mapped is None:
        return None
    width = int(cast(Projector, projector).settings["dim_in"])
    if pooled.pool == "pooler":
        return [*([] if pooled.gives_vectors else [Pooling(width, "mean")]), *_dense([*layers, *mapped])]
    if pooled.pool == "cls" or not pooled.before:
        return [Pooling(width, cast(Any, pooled.pool)), *_dense([*layers, *mapped])]
    if pooled.pool == "mean" and pooled.before == 1:
        return [Pooling(width, ("cls", "mean")), *_dense([of_patches(width, pooled.tokens), *layers, *mapped])]
    return None


def _dense(layers: list[Layer]) -> list[Any]:
    from sentence_transformers.base.modules import Dense

    return [
        Dense(
            layer.weight.shape[1],
            layer.weight.shape[0],
            activation_function=cast(Any, layer.activation()),
            init_weight=layer.weight.float().contiguous(),
            init_bias=layer.bias.float().contiguous(),
        )
        for layer in joined(layers)
    ]


def _in_own_code(pooled: Pooled, projector: nn.Module, held: Map | None) -> list[Any]:
    made = cast(Projector, projector)
    steps: list[Mapping[str, Any]] = [{"name": made.name, "settings": dict(made.settings)}]
    numbers = {f"0.{name}": value for name, value in projector.state_dict().items()}
    if held is not None:
        steps.append(_map_step(held))
        numbers |= _numbers_of_map(held, place=1)
    pool = None if pooled.gives_vectors else "mean" if pooled.pool == "pooler" else pooled.pool
    return _own(steps, numbers, pool=pool, before=pooled.before)


def _own(steps: list[Mapping[str, Any]], numbers: Mapping[str, Any], **pool: Any) -> list[Any]:
    from textanchor.interop.projection import FORMULAS, Projection

    for step in steps:
        if step["name"] not in FORMULAS:
            raise InputError(
                f"projector {step['name']} has no formula in the exported code (known: {', '.join(FORMULAS)}); "
                "`export --to onnx` takes any projector that torch can trace"
            )
    return [Projection(steps, numbers={name: value.detach().cpu() for name, value in numbers.items()}, **pool)]


def _map_step(held: Map | None) -> Mapping[str, Any]:
    if held is None or isinstance(held, Affine):
        width = 0 if held is None else len(held.mean) if held.matrix is None else held.matrix.shape[1]
        return {"name": "affine", "settings": {"dim_out": int(width)}}
    told: Mapping[str, Any] = held.spec["projector"]
    return {"name": told["name"], "settings": dict(told["settings"])}


def _numbers_of_map(held: Map | None, place: int = 0) -> dict[str, Any]:
    if held is None:
        return {}
    if isinstance(held, Affine):
        return {f"{place}.{name}": torch.from_numpy(array) for name, array in held.arrays().items()}
    arrays = {name.removeprefix("module."): array for name, array in held.arrays().items() if name.startswith("module.")}
    return {f"{place}.{name}": torch.from_numpy(array) for name, array in arrays.items()}
