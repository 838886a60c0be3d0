"""What can be seen of an item, drawn anew: no byte of a file reaches a browser as a picture."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path
from threading import Lock
from typing import Any

from PIL import Image

from textanchor.data.decoding import decode
from textanchor.errors import ItemError
from textanchor.pages.media import drawn, encoded
from textanchor.records import Clip, Item, Series, Waveform
from textanchor.runtime import Limits
from textanchor.studio.showing.opening import settled

SIDES = {"small": 320, "large": 1280}
CURVE = {"small": (320, 96), "large": (1280, 240)}
KEPT = 48 << 20  # bytes of pictures that are held
PIXELATED = 64  # pixels of a side below which edges are kept when a picture is enlarged


def picture_of(item: Item, roots: Sequence[Path], limits: Limits, size: str) -> tuple[bytes, str]:
    """PNG or JPEG, and its type. Raises `ItemError` for what shows nothing, cannot be read, or may not be shown."""
    value: Any = decode(settled(item, roots), limits)
    if isinstance(value, Clip):
        value = value.frames[0] if value.frames else value.sound
    if isinstance(value, Waveform):
        return encoded(drawn(value.samples[:, None], CURVE[size]), "PNG"), "image/png"
    if isinstance(value, Series):
        return encoded(drawn(value.values, CURVE[size]), "PNG"), "image/png"
    if not isinstance(value, Image.Image):
        raise ItemError(item.id, f"a {item.modality} shows no picture")
    return _fitted(value, SIDES[size])


def _fitted(image: Image.Image, side: int) -> tuple[bytes, str]:
    small = image.convert("RGB")
    small.thumbnail((side, side))
    if max(small.size) <= PIXELATED:
        factor = side // (2 * max(small.size))
        return encoded(
            small.resize((small.width * factor, small.height * factor), Image.Resampling.NEAREST), "PNG"
        ), "image/png"
    return encoded(small, "JPEG"), "image/jpeg"


class Pictures:
    """Pictures by name, the last ones held; what could not be drawn is held too."""

    def __init__(self, limits: Limits, *, most: int = KEPT) -> None:
        self._limits, self._most = limits, most
        self._held: OrderedDict[tuple[str, str], tuple[bytes, str]] = OrderedDict()
        self._size, self._turn = 0, Lock()

    def of(self, name: str, item: Item, roots: Sequence[Path], size: str) -> tuple[bytes, str]:
        """The picture of an item that `name` names for ever. Raises what `picture_of` raises."""
        with self._turn:
            if (name, size) in self._held:
                self._held.move_to_end((name, size))
                return self._held[name, size]
        found = picture_of(item, roots, self._limits, size)
        self._keep((name, size), found)
        return found

    def _keep(self, key: tuple[str, str], found: tuple[bytes, str]) -> None:
        with self._turn:
            if key not in self._held:
                self._held[key] = found
                self._size += len(found[0])
            while self._size > self._most:
                _, (gone, _) = self._held.popitem(last=False)
                self._size -= len(gone)
