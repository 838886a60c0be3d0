"""Encoders that lie in the space's own folder: their names say where in it, whatever place the folder has been moved to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any

from textanchor.encoders import parse
from textanchor.encoders.naming import named
from textanchor.errors import DamagedError, InputError
from textanchor.space.space import Space

PREFIX, ENCODERS = "pack:", "encoders"


def unpacked(name: str, folder: Path) -> str:
    """An encoder's name with `pack:<place>` as the absolute place in the space's folder; any other name as it is.

    Raises `DamagedError` for a place outside of it, through links too, or one that is not there.
    """
    call = parse(name)
    inner = unpacked(call.inner, folder) if call.inner else ""
    if not call.argument.startswith(PREFIX):
        return named(replace(call, inner=inner)) if inner != call.inner else name
    inside = PurePosixPath(call.argument.removeprefix(PREFIX))
    root = (folder / ENCODERS).resolve()
    place = (root / inside).resolve()
    if inside.is_absolute() or ".." in inside.parts or not place.is_relative_to(root) or place == root:
        raise DamagedError(f"{folder} names an encoder outside its folder: {name!r:.120}")
    if not place.exists():
        raise DamagedError(f"{place} is missing; the packed space is incomplete, copy it again")
    return named(replace(call, argument=str(place), inner=inner))


def with_places(story: Mapping[str, Any], folder: Path) -> Mapping[str, Any]:
    """A story's values with the places of packed encoders."""
    settings = story.get("settings")
    if not settings:
        return story
    encoders = {modality: unpacked(str(name), folder) for modality, name in settings["encoders"].items()}
    return {**story, "settings": {**settings, "anchor": unpacked(str(settings["anchor"]), folder), "encoders": encoders}}


def refuse_own_encoders(space: Space, folder: Path) -> None:
    """Raise `InputError` if writing the space there would remove encoders that it is made of."""
    root = (folder / ENCODERS).resolve()
    for name in (space.anchor, *(one.encoder for one in space.modalities.values())):
        call = parse(name)
        while call.inner:
            call = parse(call.inner)
        if call.argument and Path(call.argument).is_relative_to(root):
            raise InputError(
                f"{folder} is a packed space whose encoders lie in it, and writing over it would remove them; "
                "save to another folder (-o), and pack that"
            )
