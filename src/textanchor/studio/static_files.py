"""The studio's own scripts and styles, which lie in the package."""

from __future__ import annotations

from importlib.resources import files

_PLACE = files("textanchor.studio").joinpath("static")


def static(name: str) -> bytes:
    """A file by its name."""
    return _PLACE.joinpath(name).read_bytes()


def names(endings: tuple[str, ...]) -> frozenset[str]:
    """All files of some endings."""
    return frozenset(one.name for one in _PLACE.iterdir() if one.name.endswith(tuple(f".{ending}" for ending in endings)))
