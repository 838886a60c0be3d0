"""What a caller holds in memory: which kind of thing it is, and the form in which readers take it."""

from __future__ import annotations

import io
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from textanchor.data.arrays import CHANNELS, as_array, is_picture
from textanchor.data.readers import guess_modality, reader
from textanchor.files import located
from textanchor.records import Item, Series, Waveform
from textanchor.records.items import Held


@dataclass(frozen=True, repr=False)
class Content:
    """The bytes of a file, in memory."""

    data: bytes

    def __repr__(self) -> str:
        return f"{len(self.data)} bytes"

    def read(self) -> bytes:
        """All of them."""
        return self.data


__all__ = [
    "CHANNELS", "LONGEST", "Content", "as_file", "described", "file_of", "is_file", "is_sound", "item", "kind_of",
    "names_a_file", "plain",
]  # fmt: skip
LONGEST = 1024  # characters of a str that may be the name of a file


def plain(value: Any) -> Any:
    """Tensors as arrays, bytes and open files as `Content`, a library's str as str, cells of a Hugging Face data set decoded.

    Of these `{"bytes", "path"}` becomes its bytes, or its path where there are none; `{"array", "sampling_rate"}` and audio
    decoders become (samples, rate). All else stays as it is.
    """
    if isinstance(value, io.IOBase):
        return plain(value.read())
    if isinstance(value, Item | Path | Held):
        return value
    if isinstance(value, str):
        return str(value)
    if isinstance(value, bytes | bytearray | memoryview):
        return Content(bytes(value))
    if isinstance(value, os.PathLike):
        return Path(value)
    if isinstance(value, Mapping):
        if value.get("bytes") is not None:
            return plain(value["bytes"])
        if value.get("path") and set(value) <= {"bytes", "path"}:
            return Path(value["path"])
        if {"array", "sampling_rate"} <= set(value):
            return plain(value["array"]), value["sampling_rate"]
        return value
    if hasattr(value, "get_all_samples"):  # torchcodec's decoder, which `datasets` gives for audio
        heard = value.get_all_samples()
        return plain(heard.data), heard.sample_rate
    array = as_array(value)
    if array is None:
        return value
    return plain(array.item()) if array.ndim == 0 else array


def kind_of(value: Any) -> str | None:
    """Modality of a plain value that can be of no other, or None."""
    if isinstance(value, Item):
        return value.modality
    if isinstance(value, str):
        return "text"
    if isinstance(value, Path):
        return guess_modality(value)
    if isinstance(value, Series):
        return "series"
    if isinstance(value, Waveform) or is_sound(value):
        return "audio"
    if isinstance(value, np.ndarray):
        return "image" if is_picture(value) else None
    return "image" if hasattr(value, "convert") and hasattr(value, "mode") else None


def is_sound(value: Any) -> bool:
    """Whether it is (samples, rate)."""
    if not (isinstance(value, tuple) and len(value) == 2):
        return False
    number = isinstance(value[1], int | float | np.integer | np.floating) and not isinstance(value[1], bool)
    return number and not isinstance(value[0], str | bytes | Path) and hasattr(value[0], "__len__")


def names_a_file(text: str) -> bool:
    """Whether a str is the name of a file that exists."""
    return 0 < len(text) <= LONGEST and is_file(file_of(text))


def file_of(text: str) -> Path:
    """The path that a str names, with the user's home for `~`."""
    return located(text)


def is_file(path: Path) -> bool:
    """Whether it is a file; of a sentence too, which is too long for a name."""
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


def as_file(text: str, modality: str) -> Any:
    """A str of a modality: the file of that name, or itself where its reader takes such a value; a `Path` if neither."""
    if modality == "text":
        return text
    file = file_of(text)
    if names_a_file(text):
        return file
    try:
        reader(modality).accept(text)
    except ValueError:
        return file
    return text


def item(name: str, modality: str, value: Any) -> Item:
    """An item of a plain value, which may be a file."""
    if isinstance(value, Path):
        return Item(id=name, modality=modality, path=value)
    return Item(id=name, modality=modality, value=value)


def described(value: Any) -> str:
    """What a value is, for a message."""
    if isinstance(value, Content):
        return "bytes"
    array = as_array(value)
    if array is not None:
        return f"{'an' if array.dtype.kind == 'i' else 'a'} {array.dtype} array {list(array.shape)}"
    if isinstance(value, Mapping):
        return f"a dict of {', '.join(map(str, list(value)[:5]))}"
    return f"a {type(value).__name__}"
