"""A model of Hugging Face transformers, to be trained on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from textanchor.encoders import pick_device
from textanchor.encoders._hf import fetched, missing_model, quiet
from textanchor.encoders.hub import LAST, TOKENS, Hub, opened
from textanchor.encoders.hub_audio import SHORTEST
from textanchor.encoders.hub_front import Front as HubFront
from textanchor.encoders.networks import Pooled, hub_pooled
from textanchor.encoders.own.kept_hub import KeptHub
from textanchor.errors import InputError
from textanchor.finetuning.adapters import adapted
from textanchor.finetuning.depth import Depth
from textanchor.pretraining.choosing import peeked
from textanchor.records import Item, Waveform
from textanchor.runtime import Limits, Runtime
from textanchor.settings import bound

LONGEST = 5.0  # seconds of sounds for models that take any length, while they are trained


class Inputs:
    """What stands before the model, as a front of arrays of one shape.

    Models that hear sounds of any length are trained on `seconds` of them: the beginning of a longer one; a shorter one is
    repeated, so that nothing is pooled that is not the sound.
    """

    name = "hub"

    def __init__(self, front: HubFront) -> None:
        self.modality, self._front = front.modality, front
        self.seconds: float | None = front.seconds
        self._any_length, self._fill = self._length()
        prepared = self._front.prepare(self._whole(front.blank()))
        self.key = next(name for name, value in prepared.items() if value.dtype.kind == "f" and not name.startswith("_"))
        self.constant = {name: value for name, value in prepared.items() if name != self.key and not name.startswith("_")}
        self.settings: Mapping[str, Any] = {}
        self._shaped()

    def _shaped(self) -> None:
        self.inner = self._front.prepare(self._whole(self._front.blank()))[self.key].shape
        channels, high, wide = (1, 1, 1, *self.inner)[-3:]
        self.shape: tuple[int, int, int] = (channels, high, wide)

    def measure(self, items: Sequence[Item], limits: Limits) -> None:
        """Take sounds as long as nine in ten of some items are, where the model leaves that open."""
        if not self._any_length or self._fill is None:
            return
        sounds = peeked(items, limits)
        if sounds:
            usual = np.quantile([one.seconds for one in sounds], 0.9)
            self._fill = float(np.clip(usual, SHORTEST, self._fill))
            self._shaped()

    def __call__(self, value: Any) -> np.ndarray:
        """*Shape:* [c, h, w]."""
        return self._front.prepare(self._whole(value))[self.key].reshape(self.shape)

    def _length(self) -> tuple[bool, float | None]:
        """Whether the model takes any, and up to how many seconds sounds are filled; None where it fills them itself."""
        if self.modality != "audio":
            return False, None
        short, long = (self._front.prepare(self._noise(seconds)) for seconds in (1.0, 2.0))
        one_size = all(short[name].shape == long[name].shape for name in short)
        if one_size:
            return False, self.seconds if "_valid" in short else None
        return True, min(self.seconds or LONGEST, LONGEST)

    def _whole(self, value: Any) -> Any:
        if self._fill is None:
            return value
        wanted = round(self._fill * value.rate)
        return Waveform(samples=np.resize(value.samples, wanted), rate=value.rate)

    def _noise(self, seconds: float) -> Waveform:
        blank = self._front.blank()
        return Waveform(samples=np.resize(blank.samples, round(seconds * blank.rate)), rate=blank.rate)


class HubNetwork(nn.Module):
    """The model and its pool, from arrays to latents. It is trained as it encodes: without dropout or masks, and batch
    normalisation keeps its statistics."""

    def __init__(self, pooled: Pooled, inputs: Inputs) -> None:
        super().__init__()
        self.pooled, self._inputs = pooled, inputs

    def forward(self, inputs: Float[Tensor, "b c h w"]) -> Float[Tensor, "b d"]:
        """Latents."""
        values = {self._inputs.key: inputs.float().reshape(len(inputs), *self._inputs.inner)}
        for name, value in self._inputs.constant.items():
            values[name] = torch.from_numpy(np.asarray(value))[None].expand(len(inputs), *value.shape).to(inputs.device)
        found: Tensor = self.pooled(**values)
        return found


class TunableHub:
    """By id or folder, at one layer and pool."""

    pixels = False

    def __init__(self, argument: str, settings: Mapping[str, Any], modality: str, runtime: Runtime) -> None:
        given = {"argument": argument, "modality": modality, "runtime": runtime}
        arguments = bound(_place, settings, given=given, place="encoder hub", unknown=" cannot be trained with", text=True)
        self.source, self._layer, self._pool, size = _place(*arguments.args, **arguments.kwargs)
        name = f"hub:{argument}"
        with quiet():
            try:
                self._whole, self._model, self._front = opened(name, self.source, modality, size)
            except InputError:
                raise
            except (OSError, ValueError, RuntimeError, KeyError) as why:
                raise missing_model(name, why) from None
        self._model.to(pick_device(runtime.device)).eval()
        self._kept = KeptHub(modality=modality, layer=self._layer, pool=self._pool, size=size)
        made = self.encoder(name)
        if len(made.outputs) != 1 or made.outputs[0].ragged:
            raise InputError(f"{name}: layer={self._layer}, pool={self._pool} give several latents; name one of each")
        self._layer = made.outputs[0].name.partition(",")[0].partition("=")[2]
        self.front = Inputs(self._front)
        self.network = HubNetwork(hub_pooled(self._model, self._front, layer=self._layer, pool=self._pool), self.front)

    @property
    def trunk(self) -> nn.Module:
        """The tower that encodes."""
        model: nn.Module = self._model
        return model

    @property
    def unused(self) -> int:
        """Layers above the one that is pooled."""
        return 0 if self._layer == LAST else Depth(self.trunk).count - 1 - int(self._layer)

    def measure(self, items: Sequence[Item], limits: Limits) -> None:
        """How long sounds are, for models that take any length."""
        self.front.measure(items, limits)

    def grow(self, count: int) -> None:
        """Raises `InputError`."""
        raise InputError(f"new_layers={count}: these are for networks of one's own; `fit` can put an mlp on a hub: model")

    def take_over(self, count: int, folder: Path | None) -> None:
        """Raises `InputError`."""
        raise InputError(f"copy_first={count}: layers are copied between networks of one's own (own:), not of hub: models")

    def adapt(self, rank: int, *, below: int) -> nn.Module:
        """By peft, on the linear maps of the trunk's blocks."""
        return adapted(self._model, rank, below=below)

    def encoder(self, name: str) -> Hub:
        """Of the model itself."""
        layers, pools = self._layer.split("+"), self._pool.split("+")
        return Hub(self._model, self._front, layers=layers, pools=pools, dtype="float32", name=name, folder=None)

    def write(self, folder: Path, made: Mapping[str, Any]) -> None:
        """Its own folder within."""
        from dataclasses import replace

        replace(self._kept, made=made).write(folder, self._whole, self.source)


def _place(
    argument: str,
    *,
    modality: str,
    runtime: Runtime,
    layer: str = LAST,
    pool: str = "mean",
    size: int | None = None,
    revision: str | None = None,
) -> tuple[Path, str, str, int | None]:
    if not argument:
        raise InputError("hub: needs a model id or a folder, such as hub:facebook/dinov2-small")
    if TOKENS in pool:
        raise InputError("pool=none keeps tokens, and what is trained is one vector an item; say pool=mean")
    return fetched("hub", argument, revision, offline=runtime.offline), layer, pool, size
