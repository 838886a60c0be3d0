"""An encoder as something to be trained: of one's own, or a model of Hugging Face transformers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from torch import nn

from textanchor.encoders import Encoder
from textanchor.encoders.naming import parse
from textanchor.encoders.own import Front
from textanchor.encoders.own.kept_hub import MODEL, kept_hub
from textanchor.errors import InputError
from textanchor.files import located
from textanchor.finetuning.hub import TunableHub
from textanchor.finetuning.own import TunableOwn
from textanchor.records import Item
from textanchor.runtime import Limits, Runtime


class Tunable(Protocol):
    """What is trained, and how its folder is written."""

    @property
    def network(self) -> nn.Module:
        """From arrays [b, c, h, w] to latents [b, d]."""

    @property
    def trunk(self) -> nn.Module:
        """The part of it whose layers count."""

    @property
    def front(self) -> Front:
        """From items to arrays."""

    @property
    def unused(self) -> int:
        """How many of the last layers give nothing to the latents."""

    @property
    def pixels(self) -> bool:
        """Whether arrays are what augmentations change."""

    def measure(self, items: Sequence[Item], limits: Limits) -> None:
        """Look at some items before the front is used, where how long they are matters."""

    def grow(self, count: int) -> None:
        """Put layers on top. Raises `InputError` where there can be none."""

    def take_over(self, count: int, folder: Path | None) -> None:
        """The first `count` layers of the encoder in a folder; of None, its own, and the layers above drawn anew.

        Raises `InputError` where that cannot be.
        """

    def adapt(self, rank: int, *, below: int) -> nn.Module:
        """Adapters of a rank on layers from `below` upwards; what merges them. Raises `InputError` or `MissingError`."""

    def encoder(self, name: str) -> Encoder:
        """An encoder of the numbers as they are now."""

    def write(self, folder: Path, made: Mapping[str, Any]) -> None:
        """The folder of an encoder."""


def tunable(text: str, modality: str, runtime: Runtime) -> Tunable:
    """An encoder by name, such as `own:folder` or `hub:model`. Raises `InputError` for one that cannot be trained."""
    call = parse(text)
    if call.name == "own":
        folder = located(call.argument)
        if (kept := kept_hub(folder)) is not None:
            told = {"layer": kept.layer, "pool": kept.pool, "size": kept.size}
            settings = {name: str(value) for name, value in told.items() if value is not None}
            return TunableHub(str(folder / MODEL), settings, modality, runtime)
        return TunableOwn(folder, call.settings, modality, runtime)
    if call.name == "hub":
        return TunableHub(call.argument, call.settings, modality, runtime)
    raise InputError(f"{text} cannot be trained on: own:<folder> (of `textanchor pretrain`) and hub:<model> can")
