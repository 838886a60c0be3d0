"""An encoder of one's own, to be trained on."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from torch import nn

from textanchor.encoders import pick_device
from textanchor.encoders.own import OwnEncoder, OwnNetwork, read_folder, write_folder
from textanchor.encoders.own.encoder import opened
from textanchor.encoders.own.folder import MOST_ON_TOP
from textanchor.encoders.own.network import Residual
from textanchor.errors import InputError
from textanchor.finetuning.depth import Depth
from textanchor.records import Item
from textanchor.runtime import Limits, Runtime
from textanchor.settings import bound


class TunableOwn:
    """From its folder; `settings` may cut it at another layer, as in `own:folder@layer=2`."""

    pixels = True

    def __init__(self, folder: Path, settings: Mapping[str, Any], modality: str, runtime: Runtime) -> None:
        given = {"argument": str(folder)}
        told = bound(opened, settings, given=given, place="encoder own", unknown=" cannot be trained with", text=True)
        self.told, self.front, self.network = opened(*told.args, **told.kwargs)
        if self.front.modality != modality:
            raise InputError(f"own:{folder.name} is an encoder of {self.front.modality}, not of {modality}")
        if not list(self.network.backbone.parameters()):
            raise InputError(f"own:{folder.name} is {self.told.backbone}, which has nothing to train")
        self._device = pick_device(runtime.device)

    @property
    def trunk(self) -> nn.Module:
        """The backbone."""
        return self.network.backbone

    @property
    def unused(self) -> int:
        """Layers above the cut."""
        return len(self.network.backbone.widths) - 1 - self.network.layer

    def measure(self, items: Sequence[Item], limits: Limits) -> None:
        """Its front has a length of its own."""

    def grow(self, count: int) -> None:
        """Residual layers on the pooled vector."""
        if self.told.top + count > MOST_ON_TOP:
            raise InputError(f"{self.told.top} layers are on top already; at most {MOST_ON_TOP}")
        for _ in range(count):
            self.network.top.append(Residual(self.network.dim))
        self.told = replace(self.told, top=self.told.top + count)

    def take_over(self, count: int, folder: Path | None) -> None:
        """By the names of parts, what standardises the input with them."""
        depth = Depth(self.trunk)
        if not 0 < count <= depth.count:
            raise InputError(f"copy_first={count}: this encoder has {depth.count} layers; say 1 to {depth.count}")
        mine, theirs = (self.told, self.network) if folder is None else read_folder(folder)[::2]
        if mine.front != self.told.front:
            raise InputError(f"own:{folder} reads items by {mine.front}, and this encoder by {self.told.front}")
        kept = {name: value for name, value in theirs.backbone.state_dict().items() if depth.of(name) < count}
        fresh = self._drawn() if folder is None else self.network
        wanted = {name: value for name, value in fresh.backbone.state_dict().items() if depth.of(name) < count}
        odd = [name for name, value in wanted.items() if name not in kept or kept[name].shape != value.shape]
        if odd:
            raise InputError(f"own:{folder} has another {odd[0]} than this encoder ({mine.backbone}, {self.told.backbone})")
        fresh.standard.load_state_dict(theirs.standard.state_dict())
        fresh.backbone.load_state_dict({**fresh.backbone.state_dict(), **kept})
        self.network = fresh

    def _drawn(self) -> OwnNetwork:
        """The same network with other numbers."""
        return self.told.network(self.front)

    def adapt(self, rank: int, *, below: int) -> nn.Module:
        """Raises `InputError`."""
        raise InputError(f"lora={rank}: adapters are for hub: models; networks of one's own are small")

    def encoder(self, name: str) -> OwnEncoder:
        """Of a copy, so that its fingerprint stays true."""
        network = copy.deepcopy(self.network)
        return OwnEncoder(self.told, self.front, network, device=self._device, name=name)

    def write(self, folder: Path, made: Mapping[str, Any]) -> None:
        """As `pretrain` does."""
        write_folder(folder, replace(self.told, made=made), self.network)
