"""Vectors that `embed` wrote to a Parquet file, searched as they stand there: nothing is encoded again."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from textanchor.collections.holding import InMemory
from textanchor.data.held import found_again
from textanchor.errors import DamagedError, InputError
from textanchor.escaping import openable
from textanchor.records import Item
from textanchor.space import TEXT, Space
from textanchor.space.storage import fingerprint

_COLUMNS = ("item", "modality", "path", "content", "vector")


def is_vector_table(file: Path) -> bool:
    """Whether it is a Parquet file of a space's vectors."""
    return file.suffix == ".parquet" and file.is_file() and b"textanchor.space" in _metadata(file)


def read_vectors(space: Space, file: Path) -> InMemory:
    """Its items and raw vectors. Raises `InputError` if they are of another space or mapped for a comparison already."""
    import pyarrow.parquet as pq

    told = _metadata(file)
    if told[b"textanchor.space"].decode() != fingerprint(space):
        raise InputError(
            f"{file} holds vectors of another space; write it anew: textanchor embed ... --space SPACE -o {file.name}"
        )
    if (view := told.get(b"textanchor.view", b"raw")) != b"raw":
        raise InputError(
            f"{file} holds vectors as compared with {view.decode()}; search needs raw ones: embed without --compared-with"
        )
    try:
        with openable(file) as name:
            table = pq.read_table(name, columns=list(_COLUMNS))
        numbers = np.asarray(table["vector"].combine_chunks().flatten(), dtype=np.float32).reshape(len(table), space.dim)
    except (OSError, KeyError, ValueError, AttributeError) as why:
        raise DamagedError(f"{file} is not what embed wrote ({why!r:.120}); write it anew") from None
    kinds = set(table["modality"].to_pylist())
    if not len(table) or not np.isfinite(numbers).all() or not kinds <= {TEXT, *space.kinds}:
        raise DamagedError(f"{file}: its items or vectors are not what embed wrote; write it anew")
    names, modalities, paths, contents = (table[column].to_pylist() for column in _COLUMNS[:4])
    items = tuple(_item(*row, file.parent) for row in zip(names, modalities, paths, strict=True))
    return InMemory(all_items=items, vectors=numbers, contents=tuple(contents))


def _item(name: str, modality: str, path: str | None, folder: Path) -> Item:
    if path is None:
        return Item(id=name, modality=modality, value=name if modality == TEXT else None)
    return Item(id=name, modality=modality, path=found_again(str(folder / path)))


def _metadata(file: Path) -> dict[bytes, bytes]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with openable(file) as name:
            return dict(pq.read_schema(name).metadata or {})
    except (OSError, pa.ArrowInvalid):
        return {}
