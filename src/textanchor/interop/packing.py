"""A space with its encoders in one folder that works on another machine, without a cache and without a network."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from textanchor.encoders import parse
from textanchor.encoders.naming import named
from textanchor.encoders.places import files_of, package_of, place_of
from textanchor.encoders.sentence import PACKAGED
from textanchor.errors import InputError
from textanchor.files import located, new_folder, read_json, write_json
from textanchor.grammar import Call
from textanchor.space import TEXT, Space
from textanchor.space.packed import ENCODERS, PREFIX
from textanchor.space.storage import FACTS, FORMAT, save


@dataclass(frozen=True, kw_only=True)
class Packed:
    """Where a space lies with its encoders: bytes by modality, 0 for what needs no files, and what else must be installed."""

    folder: Path
    sizes: Mapping[str, int]
    needs: tuple[str, ...] = ()


def pack(space: Space, folder: str | Path, *, overwrite: bool = False) -> Packed:
    """Write a space and the files of all its encoders as one folder, which `load` takes from any place on any machine.

    Fingerprints stay, since they never depended on a place. Of an encoder of another package the file or folder that it names
    is copied, and the package is among `needs`. Raises `InputError` if the folder exists, unless `overwrite`, `MissingError`
    for a model that cannot be had here.
    """
    target = located(folder)
    with new_folder(target, overwrite=overwrite, marker=FACTS, sign=FORMAT) as new:
        packing = write_packed(space, new)
    return replace(packing, folder=target)


def write_packed(space: Space, new: Path) -> Packed:
    """`pack` into an empty folder that appears as a whole later."""
    save(space, new, overwrite=True)
    packing = _Packing(new / ENCODERS, offline=space.runtime.offline)
    facts = read_json(new / FACTS)
    facts["anchor"]["encoder"] = packing.taken(TEXT, space.anchor)
    for modality, fitted in space.modalities.items():
        facts["modalities"][modality]["encoder"] = packing.taken(modality, fitted.encoder)
    facts["stories"] = [packing.described(story) for story in facts["stories"]]
    write_json(new / FACTS, facts)
    return Packed(folder=new, sizes=packing.sizes, needs=tuple(sorted(packing.needs)))


class _Packing:
    """What has been copied to a folder of encoders so far."""

    def __init__(self, root: Path, *, offline: bool) -> None:
        self._root, self._offline = root, offline
        self._names: dict[str, str] = {}
        self.sizes: dict[str, int] = {}
        self.needs: set[str] = set()

    def taken(self, modality: str, name: str) -> str:
        """Copy an encoder's files; its name as the packed space has it."""
        self.sizes.setdefault(modality, 0)
        if name not in self._names:  # documents may go through the anchor
            self._names[name] = self._copied(modality, name)
        return self._names[name]

    def described(self, told: dict[str, Any]) -> dict[str, Any]:
        """A story with the packed names of encoders; of one of an earlier fit that is no longer used, its own."""
        story: dict[str, Any] = json.loads(json.dumps(told))
        for name, packed in self._names.items():
            story["remarks"] = [remark.replace(name, packed) for remark in story.get("remarks", ())]
        if settings := story["settings"]:
            settings["anchor"] = self._names.get(settings["anchor"], settings["anchor"])
            settings["encoders"] = {kind: self._names.get(name, name) for kind, name in settings["encoders"].items()}
        return story

    def _copied(self, modality: str, name: str) -> str:
        call = parse(name)
        self.needs |= {package_of(call)} - {""}
        if call.inner:
            return named(replace(call, inner=self._copied(modality, call.inner)))
        source = place_of(call, offline=self._offline)
        if source is None:
            return name
        inside = f"{modality}/{_label(call)}"
        place = self._root / inside
        for path in files_of(call, source):
            to = place / path.relative_to(source) if source.is_dir() else place
            to.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, to)  # what a link of the models' cache leads to, and not the link
            self.sizes[modality] += to.stat().st_size
        if not place.exists():
            raise InputError(f"{source} holds no file that {call.name}: reads; name the folder of the model")
        settings = {key: value for key, value in call.settings.items() if key != "revision"}
        return named(replace(call, argument=f"{PREFIX}{inside}", settings=settings))


def _label(call: Call) -> str:
    """What the copy is called: the last part of the model's name or folder."""
    default = PACKAGED[0] if call.name == "st" else call.name
    return Path(call.argument or default).name or "model"
