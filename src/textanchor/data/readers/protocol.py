"""What a reader is, and which reads what."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any, BinaryIO, Protocol, runtime_checkable

from textanchor import registry
from textanchor.errors import InputError
from textanchor.runtime import Limits


@runtime_checkable
class Reader(Protocol):
    """Reads one modality. A foreign package offers one through the entry-point group `textanchor.reader`."""

    modality: str
    """Its name in the registry, in tables and on the command line."""
    extensions: tuple[str, ...]
    """Lower-case file endings that mean this modality where nothing else says so."""
    default_encoder: str
    """Encoder specification used when none is chosen."""

    def read(self, stream: BinaryIO, limits: Limits) -> Any:
        """Decode a file. Raises `ValueError` with a one-line reason if it is damaged, too large or something else."""

    def accept(self, value: Any) -> Any:
        """Check a value given in memory. Raises `ValueError` saying what was expected."""

    def content(self, value: Any) -> bytes:
        """Bytes that identify a value in memory: its type, shape and data."""


@runtime_checkable
class PartReader(Protocol):
    """A reader of files that are made of items of other modalities, such as a video of frames and a sound track."""

    def parts(self, plan: str) -> tuple[tuple[str, str], ...]:
        """(part, modality) of everything that the plan takes, known without opening a file. Raises `InputError`."""

    def read_part(self, stream: BinaryIO, part: str, limits: Limits) -> Any:
        """One part, as its modality's reader accepts it. Raises `ValueError`; `AbsentPart` if this file has none."""


class AbsentPart(ValueError):
    """The file is sound and has no such part: a silent video, a video without pictures."""


@lru_cache
def reader(modality: str) -> Reader:
    """The reader of a modality. Raises `UnknownNameError`."""
    made: Reader = registry.load("reader", modality)()
    return made


def part_reader(modality: str) -> PartReader:
    """The reader of a modality whose files have parts. Raises `InputError` for any other modality."""
    held = reader(modality)
    if not isinstance(held, PartReader):
        raise InputError(f"{modality} files are not made of parts")
    return held


@lru_cache
def _by_extension() -> dict[str, str]:
    table: dict[str, str] = {}
    for name in registry.names("reader"):
        for extension in reader(name).extensions:
            table.setdefault(extension, name)
    return table


def guess_modality(path: Path) -> str | None:
    """Modality by the file's ending, or None."""
    return _by_extension().get(path.suffix.lower())
