"""Files of vectors and of their texts: .npy, or Parquet with a column of vectors; texts in a table, or a line each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from textanchor.data import tables
from textanchor.data.side_names import settled, side_of
from textanchor.data.tables.cells import texts as texts_within
from textanchor.data.tables.columns import TEXTS, squeezed
from textanchor.errors import DamagedError, InputError
from textanchor.files import located
from textanchor.runtime import Limits

COLUMNS = ("vector", "vectors", "embedding", "embeddings", "latent", "latents", "features")
ENDINGS = (".npy", ".parquet")
NAMES, GROUPS, SIDES = ("item", "id", "name"), ("group", "groups"), ("split", "subset")


@dataclass(frozen=True, kw_only=True)
class VectorFile:
    """Vectors [n, d], what describes each, and, where the file or the table of texts says so, names, groups and sides."""

    vectors: np.ndarray
    texts: tuple[tuple[str, ...] | None, ...]
    names: tuple[str, ...] | None = None
    groups: tuple[str | None, ...] | None = None
    sides: tuple[str | None, ...] | None = None


def read_vectors(
    file: str | Path, texts: str | Path | None = None, *, column: str | None = None, limits: Limits | None = None
) -> VectorFile:
    """A file of vectors with the texts of its own columns, or those of `texts`: a table, or a text file with a line a row.

    `column` is the column of vectors; without it the usual names are known. Raises `InputError` or `DamagedError`.
    """
    place = located(file)
    if not place.is_file() or place.suffix.lower() not in ENDINGS:
        raise InputError(f"{place} is no file of vectors; expected {' or '.join(ENDINGS)}")
    most = (limits or Limits()).numbers
    if place.suffix.lower() == ".npy":
        vectors, own = _npy(place, most), None
    else:
        vectors, own = _parquet(place, column, most), None if texts else place
    if own is None and texts is None:
        raise InputError(f"{place} holds no texts; name them: --texts FILE, a table or a line for each row")
    return _described(vectors, own or located(str(texts)))


def _npy(place: Path, most: int) -> np.ndarray:
    try:
        held = np.load(place, mmap_mode="r", allow_pickle=False)
    except (ValueError, OSError, EOFError) as why:
        raise DamagedError(f"{place}: damaged or no array of numbers ({' '.join(str(why).split())[:120]})") from None
    _check_size(place, held.size, most)
    return np.asarray(held)


def _parquet(place: Path, column: str | None, most: int) -> np.ndarray:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        schema = pq.read_schema(place)
        name = column or next((one for one in schema.names if squeezed(one) in COLUMNS), None)
        if name is None or name not in schema.names:
            told = f"no column '{column}'" if column else f"no column of vectors ({', '.join(COLUMNS)})"
            raise InputError(f"{place} has {told}; it has {', '.join(schema.names)}: name one with --vector-column")
        held = pq.read_table(place, columns=[name]).column(0).combine_chunks()
    except (OSError, pa.ArrowException) as why:
        raise DamagedError(f"{place}: damaged Parquet ({' '.join(str(why).split())[:120]})") from None
    if not (pa.types.is_list(held.type) or pa.types.is_fixed_size_list(held.type) or pa.types.is_large_list(held.type)):
        raise InputError(f"{place}: column {name} holds {held.type}; expected lists of numbers")
    lengths = held.value_lengths().unique()
    if len(lengths) != 1 or held.null_count:
        raise InputError(f"{place}: the vectors of column {name} have several lengths, or some are missing")
    flat = held.flatten()
    _check_size(place, len(flat), most)
    return np.asarray(flat.to_numpy(zero_copy_only=False)).reshape(len(held), -1)


def _check_size(place: Path, count: int, most: int) -> None:
    if count > most:
        raise InputError(f"{place} holds {count:,} numbers, more than the limit of {most:,}; raise it with --max-numbers")


def _described(vectors: np.ndarray, place: Path) -> VectorFile:
    if not place.is_file():
        raise InputError(f"{place}: no such file of texts")
    if place.suffix.lower() not in tables.ENDINGS:
        lines = place.read_text(encoding="utf-8-sig", errors="replace").splitlines()
        return VectorFile(vectors=vectors, texts=tuple((line,) if line.strip() else None for line in lines))
    columns = tables.heading(place).names
    text, *others = (_called(columns, known) for known in (TEXTS, NAMES, GROUPS, SIDES))
    if text is None:
        raise InputError(f"{place} has no column of texts (text, caption, label, ...); it has {', '.join(columns)}")
    rows = _rows(place, [text, *(name for name in others if name)])
    names, groups, sides = (None if name is None else tuple(_cell(row.get(name)) for row in rows) for name in others)
    return VectorFile(
        vectors=vectors,
        texts=tuple(_texts(row.get(text), place, number) for number, row in enumerate(rows, start=1)),
        names=_unique(names),
        groups=groups,
        sides=sides and _sides(sides, place),
    )


def _called(columns: Sequence[str], known: Sequence[str]) -> str | None:
    return next((column for one in known for column in columns if squeezed(column) == one), None)


def _rows(place: Path, columns: list[str]) -> list[Mapping[str, Any]]:
    """Some columns of a table; of a Parquet file no other is read, since vectors may stand in them."""
    if place.suffix.lower() != ".parquet":
        return [row for _, row in tables.rows(place)]
    import pyarrow.parquet as pq

    found: list[Mapping[str, Any]] = pq.read_table(place, columns=columns).to_pylist()
    return found


def _texts(cell: Any, place: Path, number: int) -> tuple[str, ...] | None:
    try:
        return tuple(texts_within(cell)) or None
    except ValueError as why:
        raise InputError(f"{place}: row {number}: the text {why}; expected a text or a list of texts") from None


def _cell(value: Any) -> str | None:
    return None if value is None else str(value).strip() or None


def _unique(names: tuple[str | None, ...] | None) -> tuple[str, ...] | None:
    """Names that tell rows apart; None where one is missing or stands twice."""
    held = tuple(name for name in names or () if name is not None)
    return held if names and len(set(held)) == len(names) else None


def _sides(told: Sequence[str | None], place: Path) -> tuple[str | None, ...]:
    meant = settled({one: side_of(one) for one in told if one})
    for row, one in enumerate(told, start=1):
        if one and not meant.get(one):
            raise InputError(f"{place}: row {row}: split '{one}' is no side (known: train, val, test and their usual names)")
    return tuple(meant[one] if one else None for one in told)
