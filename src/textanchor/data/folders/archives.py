"""Files within ZIP and tar archives as rows, read where they lie: nothing is ever unpacked to disk."""

from __future__ import annotations

import lzma
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from pathlib import Path, PurePosixPath
from threading import Lock
from typing import Any
from weakref import finalize

from textanchor.data.folders.class_folders import ClassFolders, class_folders
from textanchor.data.rows import LOST, STRAY, UNASKED, Row, Wanted
from textanchor.errors import InputError
from textanchor.escaping import openable
from textanchor.records import Item
from textanchor.runtime import Reading

ENDINGS = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz")
LARGEST = 1 << 29  # bytes of a member that are read, at most
LISTED = 1 << 38  # bytes of all members of a tar archive together, at most
RATIO, SMALL = 200, 1 << 24  # a member that is larger than this and grows so much by unpacking is no honest file
UNPACKING_RAISES = (
    zipfile.BadZipFile,
    tarfile.TarError,
    EOFError,
    RuntimeError,
    NotImplementedError,
    zlib.error,
    lzma.LZMAError,
)
_ENCRYPTED = 1
_turn = Lock()  # an archive has one place at which it is read


@dataclass(frozen=True, kw_only=True, slots=True)
class Member:
    """The bytes of a file within an archive, read when they are asked for."""

    file: Path
    name: str

    def read(self) -> bytes:
        """The bytes. Raises `ValueError` or `OSError` for what cannot be unpacked, or is larger than any item."""
        told = self.file.stat()
        with _turn:
            try:
                archive = _opened(self.file, told.st_size, told.st_mtime_ns)
                with archive.opened(self.name) as stream:
                    content: bytes = stream.read(LARGEST + 1)
            except (*UNPACKING_RAISES, KeyError) as why:
                raise ValueError(f"cannot be unpacked: {' '.join(str(why).split())}") from None
        if len(content) > LARGEST:
            raise ValueError(f"unpacks to more than {LARGEST >> 20} MiB")
        return content


def is_archive(path: Path | str) -> bool:
    """Whether the ending is an archive's."""
    return str(path).lower().endswith(ENDINGS)


@dataclass(frozen=True)
class ArchiveRows:
    """Members of an archive as files of a folder are: `[split/]class/.../file`. Hidden ones are passed over.

    `within` stands before their names. Raises `InputError` for what is no such archive.
    """

    file: Path
    reading: Reading
    wanted: Wanted
    captions: bool = True
    within: str = ""

    @property
    def taken(self) -> str:
        """What was taken for what, in one line; empty where nothing was."""
        return "; ".join(told for told in (self.classes.texts, self.classes.splits) if told) if self.captions else ""

    @cached_property
    def classes(self) -> ClassFolders:
        """The meaning of the folders that hold anything of a known kind."""
        known = (name for name, problem in self._members if not problem and self.wanted.modality(Path(name)))
        return class_folders({tuple(name.split("/")[:-1]) for name in known}, self.reading.class_depth)

    def __iter__(self) -> Iterator[Row]:
        for name, problem in self._members:
            yield self._row(name, problem)

    def _row(self, name: str, problem: str) -> Row:
        found = Row(place=f"{self.within}{name}", item=None, text="")
        if problem:
            return replace(found, problem=problem, kind=LOST)
        modality = self.wanted.modality(Path(name))
        if not self.wanted.place(found.place) or (modality and not self.wanted.kind(modality)):
            return replace(found, problem="not asked for", kind=UNASKED)
        if not modality:
            return replace(found, problem=f"unknown kind of file '{Path(name).suffix}'", kind=STRAY)
        item = Item(id=found.place, modality=modality, value=Member(file=self.file, name=name))
        if not self.captions:
            return replace(found, item=item)
        meaning = self.classes.of(tuple(name.split("/")[:-1]))
        return replace(found, item=item, text=meaning.text, split=meaning.split, problem=meaning.problem)

    @cached_property
    def _members(self) -> list[tuple[str, str]]:
        """Names, each once, and what is wrong with them."""
        told = self.file.stat()
        try:
            with _turn:
                found = list(_opened(self.file, told.st_size, told.st_mtime_ns).members())
        except (*UNPACKING_RAISES, OSError, ValueError) as why:
            raise InputError(f"{self.file} is not a readable archive: {' '.join(str(why).split())}") from None
        return [(name, problem) for name, problem in dict(found).items() if not _hidden(name)]


def _hidden(name: str) -> bool:
    return any(part.startswith((".", "__MACOSX")) and part != ".." for part in PurePosixPath(name).parts)


class _Zip:
    def __init__(self, file: str) -> None:
        self._archive = zipfile.ZipFile(file)

    def members(self) -> Iterator[tuple[str, str]]:
        for one in self._archive.infolist():
            if not one.is_dir():
                large = one.file_size > LARGEST or (one.file_size > SMALL and one.file_size > RATIO * max(one.compress_size, 1))
                yield one.filename, "is encrypted" if one.flag_bits & _ENCRYPTED else "unpacks to far too much" if large else ""

    def opened(self, name: str) -> Any:
        return self._archive.open(name)


class _Tar:
    def __init__(self, file: str) -> None:
        self._archive = tarfile.open(file, "r:*")  # noqa: SIM115 - kept open by the cache
        finalize(self, self._archive.close)

    def members(self) -> Iterator[tuple[str, str]]:
        whole = 0
        for one in self._archive:  # which unpacks everything, if the archive is packed
            whole += one.size
            if whole > LISTED:
                raise ValueError(f"its files unpack to more than {LISTED >> 30} GiB")
            if one.isfile():
                yield one.name, "unpacks to far too much" if one.size > LARGEST else ""
            elif not one.isdir():
                yield one.name, "not a regular file"

    def opened(self, name: str) -> Any:
        return self._archive.extractfile(name)


@lru_cache(maxsize=8)
def _opened(file: Path, _size: int, _changed: int) -> _Zip | _Tar:
    with openable(file) as name:
        return _Zip(name) if str(file).lower().endswith(".zip") else _Tar(name)
