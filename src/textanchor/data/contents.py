"""What an item is by content, and how it is decoded."""

from __future__ import annotations

import hashlib
from typing import Any

from textanchor.data.readers import reader
from textanchor.errors import ItemError
from textanchor.records import Item


def content_hash(item: Item) -> str:
    """sha256 of the raw bytes: the file's, or those of the value in memory. Raises `ItemError`."""
    try:
        if item.path is not None:
            with item.path.open("rb") as stream:
                return hashlib.file_digest(stream, "sha256").hexdigest()
        held = reader(item.modality)
        return hashlib.sha256(held.content(held.accept(item.value))).hexdigest()
    except (OSError, ValueError) as why:
        raise ItemError(item.id, _line(why)) from None


def decode(item: Item) -> Any:
    """The decoded value of an item. Raises `ItemError` with the reason in one line."""
    held = reader(item.modality)
    try:
        if item.path is None:
            return held.accept(item.value)
        with item.path.open("rb") as stream:
            return held.read(stream)
    except (OSError, ValueError, MemoryError) as why:
        raise ItemError(item.id, _line(why)) from None


def _line(why: BaseException) -> str:
    text = why.strerror if isinstance(why, OSError) and why.strerror else str(why) or type(why).__name__
    return " ".join(text.split())
