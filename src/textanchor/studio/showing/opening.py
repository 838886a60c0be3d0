"""Opening an item's file, and no other: what lies outside the places of its collection is not shown."""

from __future__ import annotations

import io
import os
import stat
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

from textanchor.errors import ItemError
from textanchor.records import Item
from textanchor.records.items import Held


def opened(item: Item, roots: Sequence[Path]) -> BinaryIO:
    """The file of an item, or the bytes that stand in a table or archive.

    Raises `ItemError` for a value in memory, for what is no regular file any more, and for a file that does not lie below one
    of `roots` when all links are followed.
    """
    if isinstance(item.value, Held):
        try:
            return io.BytesIO(item.value.read())
        except (OSError, ValueError):
            raise ItemError(item.id, "it cannot be read any more") from None
    return _regular(within(item, roots), item.id)


def within(item: Item, roots: Sequence[Path]) -> Path:
    """Where an item's file lies in truth. Raises `ItemError` where that is outside `roots`."""
    if item.path is None:
        raise ItemError(item.id, "it has no file")
    try:
        real = item.path.resolve(strict=True)
    except (OSError, RuntimeError):
        raise ItemError(item.id, "its file is gone") from None
    if not any(real.is_relative_to(root.resolve()) for root in roots):
        raise ItemError(item.id, "its file lies outside the collection's places, and is not shown; allow its folder: --root")
    return real


def settled(item: Item, roots: Sequence[Path]) -> Item:
    """The item with its file's true place, to be decoded. Raises what `opened` raises."""
    return item if item.path is None else replace(item, path=within(item, roots))


def _regular(path: Path, name: str) -> BinaryIO:
    """Opened without following a link that has taken its place since, and without waiting for a pipe."""
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    try:
        handle = os.open(path, flags)
    except OSError:
        raise ItemError(name, "its file cannot be opened") from None
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise ItemError(name, "it is no regular file any more")
    return os.fdopen(handle, "rb")
