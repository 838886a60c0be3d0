"""Where an encoder's model lies on this machine, and which files of that place it reads."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from textanchor import registry
from textanchor.encoders._hf import fetched, is_needed
from textanchor.encoders.sentence import PACKAGED
from textanchor.encoders.sentence import packaged as packaged_anchor
from textanchor.files import located
from textanchor.grammar import Call

FETCHED = ("st", "hub", "timm", "open_clip")  # schemes whose models are folders of safetensors, perhaps fetched
BESIDE_GRAPHS = (".onnx", ".json", ".data")
EXTRAS = {"timm": "textanchor[timm]", "open_clip": "textanchor[open-clip]"}


def place_of(call: Call, *, offline: bool) -> Path | None:
    """The file or folder that an encoder is read from, fetched if need be; None for one that needs none.

    Of an encoder of another package it is what its argument names, if there is such a file or folder.
    Raises `InputError` or `MissingError`.
    """
    if call.name == "st" and (call.argument or PACKAGED[0]) in PACKAGED:
        return packaged_anchor()
    if call.name == "efficientnet-lite0" and not call.argument:
        from textanchor.encoders.efficientnet_lite import packaged

        return packaged()
    if call.name in FETCHED:
        plain = call.name == "timm" and "/" not in call.argument and not located(call.argument).is_dir()
        revision = call.settings.get("revision")
        argument = f"timm/{call.argument}" if plain else call.argument
        return fetched(call.name, argument, None if revision is None else str(revision), offline=offline)
    place = located(call.argument) if call.argument else None
    return place if place is not None and place.exists() else None


def files_of(call: Call, place: Path) -> Iterator[Path]:
    """The files within that an encoder reads; hidden ones are none of them."""
    if place.is_file():
        yield place
        return
    for path in sorted(place.rglob("*")):
        inside = path.relative_to(place)
        if not path.is_file() or any(part.startswith(".") for part in inside.parts):
            continue
        graph = path.suffix in BESIDE_GRAPHS or path.name.startswith("model.onnx")
        if is_needed(inside.as_posix()) if call.name in FETCHED else graph or call.name != "onnx":
            yield path


def package_of(call: Call) -> str:
    """What must be installed beside textanchor, "" if nothing."""
    ours = call.name == "signal" or call.name in registry.BUILT_IN["encoder"]
    return EXTRAS.get(call.name, "" if ours else f"the package of encoder {call.name}")
