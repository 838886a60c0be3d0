"""The studio's own scripts and styles, which lie in the package."""

from __future__ import annotations

from importlib.resources import files


def static(name: str) -> bytes:
    """A file by its name."""
    return files("textanchor.studio").joinpath("static", name).read_bytes()
