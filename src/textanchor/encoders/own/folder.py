"""The folder of an encoder of one's own: what it is in `encoder.json`, its numbers in `model.safetensors`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save
from torch import Tensor

from textanchor.encoders.own.fronts import Front, front_of
from textanchor.encoders.own.network import OwnNetwork, Pool
from textanchor.errors import DamagedError, InputError
from textanchor.files import check_format, read_json, write_bytes, write_json

FORMAT = 1
TOLD, NUMBERS = "encoder.json", "model.safetensors"
MOST_ON_TOP = 16


@dataclass(frozen=True, kw_only=True)
class Description:
    """What builds the network again: front and backbone by name and settings, where it is cut, how many layers stand on top.

    `made` is how it came to be, in JSON; nothing is read from it.
    """

    front: str
    backbone: str
    layer: int = -1
    pool: Pool = "mean"
    top: int = 0
    made: Mapping[str, Any] = field(default_factory=dict)

    def network(self, front: Front | None = None) -> OwnNetwork:
        """With numbers that nobody trained. Raises `InputError`."""
        shape = (front or front_of(self.front)).shape
        return OwnNetwork(shape=shape, backbone=self.backbone, layer=self.layer, pool=self.pool, top=self.top)


def write_folder(folder: Path, told: Description, network: OwnNetwork) -> None:
    """Both files, the numbers first."""
    numbers = {name: value.detach().cpu().contiguous() for name, value in network.state_dict().items()}
    write_bytes(folder / NUMBERS, save(numbers))
    write_json(folder / TOLD, {"format": FORMAT, **asdict(told)})


def read_folder(folder: Path) -> tuple[Description, Front, OwnNetwork]:
    """What was written. Raises `InputError` for a folder that is none, `DamagedError` for one that does not fit together."""
    if not (folder / TOLD).is_file():
        raise InputError(
            f"own:{folder}: no encoder lies there; expected a folder with {TOLD}, as `textanchor pretrain` writes it"
        )
    told = _described(folder, read_json(folder / TOLD))
    front = front_of(told.front)
    try:
        with torch.device("meta"):  # so that sizes which somebody wrote into a file take no memory
            network = told.network(front)
        network.load_state_dict(_numbers(folder / NUMBERS), assign=True)
    except (RuntimeError, SafetensorError, OSError, IndexError, OverflowError, AssertionError) as why:
        raise DamagedError(f"{folder}: {NUMBERS} is not of what {TOLD} says: {_line(why)}; restore the folder") from None
    if not all(value.isfinite().all() for value in network.state_dict().values()):
        raise DamagedError(f"{folder / NUMBERS}: not all numbers are finite; restore the folder or make it again")
    return told, front, network.float().laid_out().eval()  # as read they are in the file's


def _line(why: Exception) -> str:
    return " ".join(str(why).split())[:200] or type(why).__name__


def _described(folder: Path, told: Any) -> Description:
    known = {"format", *Description.__dataclass_fields__}
    if not isinstance(told, dict) or not {"front", "backbone"} <= told.keys() or not told.keys() <= known:
        raise DamagedError(f"{folder / TOLD}: not what describes an encoder; restore the folder")
    check_format(folder / TOLD, told.get("format"), FORMAT)
    kinds = {"front": str, "backbone": str, "layer": int, "pool": str, "top": int, "made": dict}
    values = {name: value for name, value in told.items() if name != "format"}
    for name, value in values.items():
        if type(value) is not kinds[name]:
            raise DamagedError(f"{folder / TOLD}: {name} is {value!r}; restore the folder")
    if values.get("pool", "mean") not in ("mean", "max"):
        raise DamagedError(f"{folder / TOLD}: pool is {values['pool']!r}; expected mean or max")
    if not 0 <= values.get("top", 0) <= MOST_ON_TOP:
        raise DamagedError(f"{folder / TOLD}: top is {values['top']}; expected 0 to {MOST_ON_TOP}")
    return Description(**values)


def _numbers(file: Path) -> dict[str, Tensor]:
    return load_file(file)
