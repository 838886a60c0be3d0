"""A model of Hugging Face transformers that was tuned here: its own folder within an encoder's folder."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from textanchor.encoders.own.folder import FORMAT, TOLD
from textanchor.errors import DamagedError, InputError
from textanchor.files import check_format, read_json, write_json
from textanchor.runtime import Runtime

if TYPE_CHECKING:
    from textanchor.encoders.hub import Hub

KIND, MODEL = "hub", "model"
PREPARED_BY = ("preprocessor_config.json", "processor_config.json")


@dataclass(frozen=True, kw_only=True)
class KeptHub:
    """How a tuned model is read: of what modality, at which layer, by which pool, squares of which size (None: its own)."""

    modality: str
    layer: str = "last"
    pool: str = "mean"
    size: int | None = None
    made: Mapping[str, Any] = field(default_factory=dict)

    def encoder(self, folder: Path, modality: str, runtime: Runtime, *, name: str) -> Hub:
        """The encoder. Raises `InputError` for another modality, or for a folder without its model."""
        from textanchor.encoders.hub import make

        if modality != self.modality:
            raise InputError(f"{name} is an encoder of {self.modality}, not of {modality}")
        found = make(str(folder / MODEL), modality=modality, runtime=runtime, layer=self.layer, pool=self.pool, size=self.size)
        found.name = name
        return found

    def write(self, folder: Path, whole: Any, source: Path) -> None:
        """The model as the library writes it, `source`'s settings of what stands before it, and `encoder.json` last."""
        from textanchor.encoders._hf import quiet

        with quiet():
            whole.save_pretrained(folder / MODEL)
        for name in PREPARED_BY:
            if (source / name).is_file():
                shutil.copyfile(source / name, folder / MODEL / name)
        write_json(folder / TOLD, {"format": FORMAT, "kind": KIND, **asdict(self)})


def kept_hub(folder: Path) -> KeptHub | None:
    """What a folder says of a tuned model; None for a folder that holds none. Raises `DamagedError`."""
    if not (folder / TOLD).is_file():
        return None
    told = read_json(folder / TOLD)
    if not isinstance(told, dict) or told.get("kind") != KIND:
        return None
    check_format(folder / TOLD, told.get("format"), FORMAT)
    values = {name: value for name, value in told.items() if name not in ("format", "kind")}
    kinds: dict[str, Any] = {"modality": str, "layer": str, "pool": str, "size": (int, type(None)), "made": dict}
    if values.keys() != kinds.keys() or not all(isinstance(value, kinds[name]) for name, value in values.items()):
        raise DamagedError(f"{folder / TOLD}: not what describes a tuned model; restore the folder")
    return KeptHub(**values)
