"""An encoder that was made here, from its folder."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from textanchor.encoders._hf import weights_hash
from textanchor.encoders.own.folder import Description, read_folder
from textanchor.encoders.own.fronts import Front
from textanchor.encoders.own.kept_hub import kept_hub
from textanchor.encoders.own.network import OwnNetwork, Pool
from textanchor.encoders.protocol import Output, encode_staged
from textanchor.errors import InputError
from textanchor.files import digest, located
from textanchor.records import Vectors
from textanchor.runtime import Runtime

if TYPE_CHECKING:
    from textanchor.encoders.hub import Hub
    from textanchor.encoders.networks import Network


class OwnEncoder:
    """A front, and a network behind it. Sounds longer than the front's `seconds` are heard in windows."""

    def __init__(self, told: Description, front: Front, network: OwnNetwork, *, device: str, name: str) -> None:
        self._front, self._network, self._device = front, network.eval().to(device), device
        self.modality, self.name, self.dim = front.modality, name, network.dim
        self.batch = 64
        self.seconds = front.seconds
        cut = f"{told.front} {told.backbone} {network.layer} {network.pool}" + f" {told.top}" * bool(told.top)
        self.fingerprint = digest("own", "1", cut, weights_hash(network))
        self.outputs = (Output(name="", dim=self.dim, fingerprint=self.fingerprint),)

    @property
    def network(self) -> Network:
        """For exports."""
        from textanchor.encoders.networks import Keyword, Network

        example = np.zeros((1, *self._front.shape), dtype=np.float32)
        told = {"by": f"textanchor's {self._front.name}", **self._front.settings}
        return Network(module=Keyword(self._network), inputs={"pixel_values": example}, preprocessing=told)

    def encode(self, batch: Sequence[Any]) -> Vectors:
        """*Shape:* [n, dim]."""
        return encode_staged(self, batch)

    def prepare(self, value: Any) -> np.ndarray:
        """The front's array."""
        return self._front(value)

    def forward(self, inputs: Sequence[np.ndarray]) -> list[Vectors]:
        """Latents of a batch."""
        with torch.inference_mode():
            latents = self._network(torch.from_numpy(np.stack(inputs)).to(self._device))
        return [latents.float().cpu().numpy()]


def make(
    argument: str, *, modality: str, runtime: Runtime, layer: int | None = None, pool: Pool | None = None
) -> OwnEncoder | Hub:
    """`own:<folder>[@layer=...,pool=mean|max]`: an encoder that `textanchor pretrain`, `finetune` or `distill` wrote."""
    if not argument:
        raise InputError("own: needs the folder of an encoder, such as own:digits-encoder")
    folder = located(argument)
    if (kept := kept_hub(folder)) is not None:
        if layer is not None or pool is not None:
            raise InputError(f"own:{argument} was tuned at layer={kept.layer}, pool={kept.pool} and has no other")
        return kept.encoder(folder, modality, runtime, name=f"own:{Path(argument).name}")
    told, front, network = opened(argument, layer=layer, pool=pool)
    if front.modality != modality:
        raise InputError(f"own:{argument} is an encoder of {front.modality}, not of {modality}")
    return OwnEncoder(told, front, network, device=runtime.device, name=f"own:{Path(argument).name}")


def opened(argument: str, *, layer: int | None = None, pool: Pool | None = None) -> tuple[Description, Front, OwnNetwork]:
    """What lies in a folder, cut at another layer or pooled otherwise if that is asked for. Raises `InputError`."""
    told, front, network = read_folder(located(argument))
    layers = len(network.backbone.widths)
    if layer is not None and told.top:
        raise InputError(f"own:{argument}: layer={layer}, and the {told.top} layers on top stand on layer {told.layer} alone")
    if layer is not None and not -layers <= layer < layers:
        raise InputError(f"own:{argument}: layer={layer}, and it has {layers} layers; say 0 to {layers - 1}, or -1")
    network.layer = network.layer if layer is None else range(layers)[layer]
    network.pool = pool or network.pool
    return replace(told, layer=network.layer, pool=network.pool), front, network
