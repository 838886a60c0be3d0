"""What an item is by content, and how it is decoded."""

from __future__ import annotations

import hashlib
import io
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from textanchor import registry
from textanchor.data.readers import AbsentPart, Reader, part_reader, reader
from textanchor.data.readers.vectors import VectorReader
from textanchor.errors import ItemError, TextAnchorError
from textanchor.files import file_digest
from textanchor.records import Item
from textanchor.records.items import Held
from textanchor.runtime import Limits

PART = "#"


def content_hash(item: Item) -> str:
    """sha256 of the raw bytes: the file's, or those of the value in memory; `<file's>#<part>` for a part of a file.

    Raises `ItemError`.
    """
    try:
        if isinstance(item.value, Held):
            whole = hashlib.sha256(item.value.read()).hexdigest()
            return f"{whole}{PART}{item.part}" if item.part else whole
        if item.path is None:
            held = reader_of(item)
            return hashlib.sha256(held.content(held.accept(item.value))).hexdigest()
        if not item.part:
            return file_digest(item.path)
        told = item.path.stat()
        return f"{_file_hash(item.path, told.st_size, told.st_mtime_ns, told.st_ino)}{PART}{item.part}"
    except (OSError, ValueError) as why:
        raise ItemError(item.id, one_line(why)) from None


def cache_key(content: str) -> str:
    """Name of a content in the cache: 64 hexadecimal digits, a part's too."""
    return hashlib.sha256(content.encode()).hexdigest() if PART in content else content


@lru_cache(maxsize=64)
def _file_hash(path: Path, size: int, changed: int, inode: int) -> str:
    """Remembered for a moment only, because the parts of one file are asked for one after another."""
    return file_digest(path)


def decode(item: Item, limits: Limits) -> Any:
    """The decoded value of an item. Raises `ItemError` with the reason in one line, beyond the limits too."""
    held = reader_of(item)
    try:
        if item.path is None and not isinstance(item.value, Held):
            return held.accept(item.value)
        with io.BytesIO(item.value.read()) if item.path is None else item.path.open("rb") as stream:
            if not item.part:
                return held.read(stream, limits)
            source, _, part = item.part.partition(":")
            return held.accept(part_reader(source).read_part(stream, part, limits))
    except (OSError, ValueError, MemoryError) as why:
        raise ItemError(item.id, one_line(why), absent=isinstance(why, AbsentPart)) from None
    except TextAnchorError:
        raise
    except Exception as why:  # decoders answer hostile bytes with whatever their parsers stumble over
        raise ItemError(item.id, f"damaged: {type(why).__name__}: {one_line(why)[:160]}") from None


def reader_of(item: Item) -> Reader:
    """The reader of its modality; an array of a modality that has none is a vector that was made elsewhere.

    Raises `UnknownNameError`.
    """
    made_elsewhere = isinstance(item.value, np.ndarray) and item.modality not in registry.names("reader")
    return VectorReader() if made_elsewhere else reader(item.modality)


def one_line(why: BaseException) -> str:
    """The reason of an error, without its path."""
    text = why.strerror if isinstance(why, OSError) and why.strerror else str(why) or type(why).__name__
    return " ".join(text.split())
