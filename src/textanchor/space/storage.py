"""A space as a folder.

    space.json                 anchor, modalities, settings, versions, the sha256 of every other file
    seen.json                  content hashes and groups that it was fitted and selected on
    <modality>.safetensors     numbers of the projector and the view

Nothing is pickled. A missing, altered or newer file is an answer, not a stack trace.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError
from safetensors.torch import load as read_tensors
from safetensors.torch import save as tensor_bytes
from torch import Tensor, from_numpy

from textanchor.data.wording import wording
from textanchor.errors import DamagedError, InputError
from textanchor.files import digest, file_digest, new_folder, read_json, write_bytes, write_json
from textanchor.projectors import build
from textanchor.records import Affine, Hubness, View
from textanchor.space import Space
from textanchor.space.holdings import Fitted, Seen

FORMAT, VERSION, FACTS = "textanchor-space", 2, "space.json"


def save(space: Space, folder: Path, *, overwrite: bool) -> Path:
    """Write the folder whole or not at all. Raises `InputError` if it exists, unless `overwrite`."""
    with new_folder(folder, overwrite=overwrite, marker=FACTS) as new:
        write_json(new / "seen.json", {"contents": dict(space.seen.contents), "groups": dict(space.seen.groups)})
        for name, fitted in space.modalities.items():
            write_bytes(new / f"{name}.safetensors", tensor_bytes(_tensors(fitted)))
        facts = {
            "format": FORMAT,
            "version": VERSION,
            "anchor": {"encoder": space.anchor, "fingerprint": space.anchor_fingerprint},
            "modalities": {name: _described(fitted) for name, fitted in space.modalities.items()},
            "compositions": {name: held.plan for name, held in space.compositions.items()},
            "wording": space.wording.described(),
            "provenance": space.provenance,
            "files": {path.name: file_digest(path) for path in sorted(new.iterdir())},
        }
        write_json(new / FACTS, facts)
    return folder


def load(
    folder: str | Path,
    *,
    encoders: Mapping[str, str] | None = None,
    cache: str | Path | None = None,
    device: str = "auto",
) -> Space:
    """Read a space. `encoders` names another place for a modality's encoder, which must be the same model.

    Raises `InputError` if it is no space, `DamagedError` if a file is missing, altered or of a newer version.
    """
    place = Path(folder).expanduser()
    if not (place / FACTS).is_file():
        raise InputError(f"{place} is no space: it has no {FACTS}; expected a folder written by `textanchor fit`")
    facts = read_json(place / FACTS)
    _check_version(facts, place)
    try:
        _check_files(facts["files"], place)
        seen = read_json(place / "seen.json")
        space = Space(
            anchor=str(facts["anchor"]["encoder"]),
            anchor_fingerprint=str(facts["anchor"]["fingerprint"]),
            modalities={name: _fitted(told, place / f"{name}.safetensors") for name, told in facts["modalities"].items()},
            seen=Seen(contents=dict(seen["contents"]), groups=dict(seen["groups"])),
            provenance=facts["provenance"],
            compositions={str(name): str(plan) for name, plan in facts.get("compositions", {}).items()},
            wording=wording(**facts.get("wording", {})),
            cache=cache,
            device=device,
        )
    except (KeyError, TypeError, ValueError, AttributeError, RuntimeError, SafetensorError) as why:
        if isinstance(why, InputError):
            raise
        raise DamagedError(f"{place / FACTS} is incomplete or altered ({why!r:.120}); fit the space again") from None
    for modality, name in (encoders or {}).items():
        space.replace_encoder(modality, name)
    return space


def _check_version(facts: Any, place: Path) -> None:
    if not isinstance(facts, dict) or facts.get("format") != FORMAT:
        raise DamagedError(f"{place / FACTS} does not describe a space; expected format '{FORMAT}'")
    version = facts.get("version")
    if not isinstance(version, int) or version < 1:
        raise DamagedError(f"{place / FACTS}: version {version!r} is no version; fit the space again")
    if version > VERSION:
        raise DamagedError(
            f"{place} has format version {version}, this textanchor reads up to {VERSION}; upgrade: pip install -U textanchor"
        )


def _check_files(files: Mapping[str, str], place: Path) -> None:
    for name, expected in files.items():
        if not re.fullmatch(r"[\w.-]+", name):
            raise DamagedError(f"{place / FACTS} names a file outside its folder: {name!r}")
        if not (place / name).is_file():
            raise DamagedError(f"{place / name} is missing; the space is incomplete, copy it again or fit anew")
        if file_digest(place / name) != expected:
            raise DamagedError(f"{place / name} was altered or damaged (its sha256 differs); copy it again or fit anew")


def _tensors(fitted: Fitted) -> dict[str, Tensor]:
    tensors = {f"projector.{key}": value.contiguous().cpu() for key, value in fitted.projector.state_dict().items()}
    if fitted.view is not None:
        for side, part in (("item", fitted.view.item), ("text", fitted.view.text)):
            tensors |= {f"view.{side}.{key}": from_numpy(array.copy()) for key, array in part.arrays().items()}
        if fitted.view.hubness is not None:
            tensors["view.bank.items"] = from_numpy(fitted.view.hubness.items.copy())
            tensors["view.bank.texts"] = from_numpy(fitted.view.hubness.texts.copy())
    return tensors


def _described(fitted: Fitted) -> dict[str, Any]:
    return {
        "encoder": fitted.encoder,
        "fingerprint": fitted.fingerprint,
        "projector": {"name": fitted.projector.name, "settings": fitted.projector.settings},
        "view": fitted.view.id if fitted.view else None,
        "hubness": _hubness_told(fitted.view),
        "report": dict(fitted.report),
    }


def _fitted(told: Mapping[str, Any], file: Path) -> Fitted:
    tensors = read_tensors(file.read_bytes())
    state = {key.removeprefix("projector."): value for key, value in tensors.items() if key.startswith("projector.")}
    if not all(bool(value.isfinite().all()) for value in tensors.values()):
        raise DamagedError(f"{file} holds NaN or infinite numbers; fit the space again")
    view = _view(tensors, told.get("hubness")) if told["view"] else None
    if view is not None and view.id != told["view"]:
        raise DamagedError(f"{file}: the view is not the one that {FACTS} names; fit the space again")
    return Fitted(
        encoder=str(told["encoder"]),
        fingerprint=str(told["fingerprint"]),
        projector=build(told["projector"]["name"], told["projector"]["settings"], state),
        view=view,
        report=told["report"],
    )


def _hubness_told(view: View | None) -> dict[str, Any] | None:
    held = view.hubness if view else None
    return {"method": held.method, "settings": dict(held.settings)} if held else None


def _view(tensors: Mapping[str, Tensor], hubness: Mapping[str, Any] | None) -> View:
    def array(name: str) -> np.ndarray:
        return np.ascontiguousarray(tensors[f"view.{name}"].numpy())

    def part(side: str) -> Affine:
        return Affine(mean=array(f"{side}.mean"), matrix=array(f"{side}.matrix") if f"view.{side}.matrix" in tensors else None)

    banks = {"items": array("bank.items"), "texts": array("bank.texts")} if hubness else {}
    correction = Hubness(method=hubness["method"], settings=hubness["settings"], **banks) if hubness else None
    return View(item=part("item"), text=part("text"), hubness=correction)


def fingerprint(space: Space, *, only: str | None = None) -> str:
    """One hash of anchor, encoders, projectors and views; of one modality's alone with `only`."""
    parts = [space.anchor_fingerprint, *(f"{name} {held.plan}" for name, held in sorted(space.compositions.items()))]
    for name, fitted in sorted(space.modalities.items()):
        if only not in (None, name):
            continue
        parts += [name, fitted.fingerprint, digest(tensor_bytes(_tensors(fitted)))]
    return digest(*parts)
