"""Files of a folder as rows: texts from captions beside the files, or from the folders' names."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from textanchor.data import tables
from textanchor.data.folders.archives import ArchiveRows, is_archive
from textanchor.data.folders.class_folders import ClassFolders, Meaning, class_folders
from textanchor.data.rows import LOST, STRAY, UNASKED, UNREAD, Row, Wanted
from textanchor.data.tables.cells import normal
from textanchor.errors import InputError
from textanchor.records import Item
from textanchor.runtime import Reading

CAPTIONS = (".txt", ".caption", ".text")
_LONGEST = 1 << 16  # bytes of a file of captions; a longer one is a document


@dataclass(frozen=True, kw_only=True)
class Found:
    """A file by its place within the root, or a folder that cannot be listed; `beside` are the names of its folder."""

    place: str
    unreadable: str = ""
    kind: str = LOST
    beside: frozenset[str] = frozenset()


@dataclass(frozen=True)
class FolderRows:
    """`[wrapping/][split/]class/.../file`, or files with their captions beside them.

    Hidden files are passed over, files of unknown kind are reported. Without `captions` a text file is an item like any other,
    and an archive is a folder.
    """

    root: Path
    reading: Reading
    wanted: Wanted
    captions: bool = True
    _last: dict[str, Any] = field(default_factory=dict, repr=False)

    @property
    def taken(self) -> str:
        """What was taken for what, in one line; empty where nothing was."""
        first = next(self._files_of_captions(), None) if self.captions else None
        if first is None:
            return "; ".join(told for told in (self.classes.texts, self.classes.splits) if told)
        beside = f"texts from the files beside the items, such as `{first}`, one a line"
        return "; ".join(told for told in (beside, self.classes.splits) if told)

    @cached_property
    def classes(self) -> ClassFolders:
        """The meaning of the folders that hold anything of a known kind."""
        folders = {
            tuple(found.place.split("/")[:-1])
            for found in walk(self.root, follow=self.reading.follow_links)
            if not found.unreadable and self._is_asked(found.place)
        }
        return class_folders(folders, self.reading.class_depth)

    def __iter__(self) -> Iterator[Row]:
        for found in walk(self.root, follow=self.reading.follow_links):
            yield from self._rows(found)

    def _rows(self, found: Found) -> Iterator[Row]:
        place, path = found.place, self.root / found.place
        problem = found.unreadable
        if problem:
            yield Row(place=place, item=None, text="", problem=problem, kind=found.kind)
            return
        if not self.wanted.place(place):
            yield Row(place=place, item=None, text="", problem="not asked for", kind=UNASKED)
            return
        beside = self._beside(found) if self.captions else Beside()
        if beside.captions and path.name in beside.files:
            if problem := captions_of(path)[1]:
                yield Row(place=place, item=None, text="", problem=problem, kind=STRAY)
            return
        if not self.captions and is_archive(path):
            yield from self._packed(place, path)
            return
        modality = self.wanted.modality(path)
        if not modality:
            known = (
                f"{UNREAD}; name it, with --path-column and --text-column where they are not known"
                if tables.is_table(path)
                else ""
            )
            yield Row(place=place, item=None, text="", problem=known or f"unknown kind of file '{path.suffix}'", kind=STRAY)
            return
        if not self.wanted.kind(modality):
            yield Row(place=place, item=None, text="", problem="not asked for", kind=UNASKED)
            return
        meaning = self.classes.of(tuple(place.split("/")[:-1])) if self.captions else Meaning()
        item = Item(id=place, modality=modality, path=path)
        told = beside.captions.get(path.name) if beside.captions else None
        texts = captions_of(path.with_name(told))[0] if told else []
        if not texts and (told or not beside.usual):
            texts = [meaning.text]
        for text in [""] if meaning.problem else texts or [""]:
            yield Row(place=place, item=item, text=text, split=meaning.split, problem=meaning.problem)

    def _packed(self, place: str, path: Path) -> Iterator[Row]:
        """The files of an archive as if its name were a folder's."""
        try:
            yield from ArchiveRows(path, self.reading, self.wanted, captions=False, within=f"{place}/")
        except InputError as why:
            yield Row(place=place, item=None, text="", problem=str(why).removeprefix(f"{path} "))

    def _is_asked(self, place: str) -> bool:
        modality = self.wanted.modality(Path(place))
        return bool(modality) and self.wanted.kind(modality) and self.wanted.place(place)

    def _files_of_captions(self) -> Iterator[str]:
        for found in walk(self.root, follow=self.reading.follow_links):
            name = found.place.rpartition("/")[2]
            if not found.unreadable and name in self._beside(found).files and captions_of(self.root / found.place)[0]:
                yield found.place

    def _beside(self, found: Found) -> Beside:
        """The files of captions of a file's folder."""
        if self._last.get("beside") is not found.beside:
            folder = (self.root / found.place).parent
            self._last.update(beside=found.beside, captions=_paired(found.beside, folder, self.wanted))
        held: Beside = self._last["captions"]
        return held


@dataclass(frozen=True, kw_only=True)
class Beside:
    """The files of captions in a folder by the file that they describe; `usual`: at least half of the files have one."""

    captions: Mapping[str, str] = field(default_factory=dict)
    usual: bool = False

    @cached_property
    def files(self) -> frozenset[str]:
        """Names of files of captions."""
        return frozenset(self.captions.values())


def _paired(names: frozenset[str], folder: Path, wanted: Wanted) -> Beside:
    """`x.jpg` with `x.txt` or `x.jpg.txt`; a long text is no caption."""
    if not any(name.lower().endswith(CAPTIONS) for name in names):
        return Beside()
    things = [name for name in names if wanted.modality(Path(name)) not in ("", "document", "text")]
    captions = {}
    for name in things:
        stems = dict.fromkeys((Path(name).stem, name))
        told = next((f"{stem}{ending}" for stem in stems for ending in CAPTIONS if f"{stem}{ending}" in names), None)
        if told and told != name and _is_short(folder / told):
            captions[name] = told
    return Beside(captions=captions, usual=2 * len(captions) >= len(things) > 0)


def _is_short(path: Path) -> bool:
    try:
        return path.is_file() and path.stat().st_size <= _LONGEST
    except OSError:
        return False


def captions_of(path: Path) -> tuple[list[str], str]:
    """The lines of a file of captions, and why there are none: it cannot be read, or holds numbers, as boxes and targets do."""
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, ValueError) as why:
        return [], "captions that are not UTF-8 text" if isinstance(why, ValueError) else f"cannot be read: {why.strerror}"
    told = [text for line in lines if (text := normal(line))]
    if told and not any(letter.isalpha() for text in told for letter in text):
        return [], "numbers beside an item, and no caption"
    return told, ""


def walk(root: Path, *, follow: bool = False) -> Iterator[Found]:
    """Files by name, folder by folder; one folder's names are held at a time. Linked folders are gone into if `follow`."""
    yield from _walk(str(root), "", follow, ())


def _walk(root: str, within: str, follow: bool, above: Sequence[tuple[int, int]]) -> Iterator[Found]:
    where = f"{root}/{within}"
    try:
        told = Path(where).stat()
        with os.scandir(where) as entries:
            listed = sorted(_kind(entry, follow) for entry in entries if entry.name[0] != ".")
    except OSError as why:
        yield Found(place=within.rstrip("/") or root, unreadable=f"cannot be listed: {why.strerror}")
        return
    own = (told.st_dev, told.st_ino)
    if own in above:
        yield Found(place=within.rstrip("/"), unreadable="a link to a folder that it lies in", kind=STRAY)
        return
    beside = frozenset(name for name, is_folder, _ in listed if not is_folder)
    for name, is_folder, problem in listed:
        if is_folder:
            yield from _walk(root, f"{within}{name}/", follow, (*above, own))
        else:
            yield Found(place=f"{within}{name}", unreadable=problem, beside=beside)


def _kind(entry: os.DirEntry[str], follow: bool) -> tuple[str, bool, str]:
    """A name, whether it is a folder, and why it is neither that nor a file; the listing itself says it, but for links."""
    if entry.is_dir(follow_symlinks=follow):
        return entry.name, True, ""
    if entry.is_file():
        return entry.name, False, ""
    if entry.is_dir():
        return entry.name, False, "a link to a folder, which is not followed (--follow-links)"
    return entry.name, False, "a link to nothing" if entry.is_symlink() else "not a regular file"
