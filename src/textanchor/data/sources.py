"""Where the rows of a source are: in a table, in the tables of a folder, in its files, or in an archive's."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from textanchor.data import tables
from textanchor.data.folders.archives import ArchiveRows, is_archive
from textanchor.data.folders.folder_rows import FolderRows, walk
from textanchor.data.rows import Row, Wanted
from textanchor.data.side_names import EVAL, is_shard, settled, side_of, side_of_file
from textanchor.data.tables.streams import PACKED, kind
from textanchor.data.tables.table_rows import TableRows, table_rows
from textanchor.errors import InputError
from textanchor.runtime import Reading

_STEMS = ("pairs", "metadata")
_FEW = 20
_OWN = tuple(f"{stem}{ending}{pack}" for stem in _STEMS for ending in tables.ENDINGS for pack in ("", *PACKED))


@dataclass(frozen=True, kw_only=True)
class Source:
    """Rows of a source, in order, and in a line each what was taken for what."""

    parts: tuple[TableRows | FolderRows | ArchiveRows, ...]
    remarks: tuple[str, ...] = ()

    @property
    def taken(self) -> tuple[str, ...]:
        """Lines for the user."""
        return (*dict.fromkeys(told for part in self.parts if (told := part.taken)), *self.remarks)

    def __iter__(self) -> Iterator[Row]:
        """Raises `InputError` if a table cannot be read."""
        for part in self.parts:
            yield from part


def source_of(place: Path, reading: Reading, *, captions: bool = True, restrict: bool = True) -> Source:
    """A table; an archive; or of a folder its own table, its tables by split or in shards, its only table, those of folders
    within, its files. Without `captions` text files beside others are items, and an only table counts where it holds its items,
    or names most files and no other table is there; without `restrict` modalities only say what files are.

    Raises `InputError` for a table that cannot be read, `UnknownNameError` for a modality that nobody knows.
    """
    wanted = Wanted(reading, restrict=restrict)
    if place.is_file() and is_archive(place):
        return Source(parts=(ArchiveRows(place, reading, wanted, captions),))
    if place.is_file():
        return Source(parts=(table_rows(place, reading, wanted),))
    if own := own_table(place):
        try:
            return Source(parts=(table_rows(own, reading, wanted),))
        except InputError:
            if kind(own) != ".json":  # which may be anything
                raise
    found = [Path(one.place) for one in walk(place, follow=reading.follow_links) if tables.may_be_table(one.place)]
    opened = _Opened(place, reading, wanted)
    for candidates in (_sided(found), _owned(found)):
        if parts := opened.all(candidates):
            return Source(parts=parts, remarks=(*opened.refused, *_unread(place, opened.read, reading, wanted)))
    if only := opened.only(_few(place, found)):
        if captions or only.holds_its_items:
            return Source(parts=(only,), remarks=_unnamed(place, only, reading, wanted) if captions else ())
        if len(found) == 1 and not _unnamed(place, only, reading, wanted):
            return Source(parts=(only,))
    return Source(parts=(FolderRows(place, reading, wanted, captions),))


class _Opened:
    """Tables within a folder, as far as they are tables of items."""

    def __init__(self, place: Path, reading: Reading, wanted: Wanted) -> None:
        self._place, self._reading, self._wanted = place, reading, wanted
        self.read: list[Path] = []
        self.refused: list[str] = []

    def all(self, candidates: list[tuple[Path, str]]) -> tuple[TableRows, ...]:
        """Those that hold items; what is wrong with the others stands in `refused`."""
        self.read, self.refused, parts = [], [], []
        for file, side in candidates:
            told = self._meant(file, "test" if side == EVAL else side)
            if isinstance(told, str):
                self.refused.append(f"nothing of {told}")
            elif told.columns.paths or told.columns.item_text:
                self.read.append(file)
                parts.append(told)
        return tuple(parts)

    def only(self, candidates: list[Path]) -> TableRows | None:
        """The one that holds items and texts and whose files are here, if there is one alone."""
        meant = [told for file in candidates if isinstance(told := self._meant(file, ""), TableRows) and told.columns.pairs]
        found = [told for told in meant if not told.columns.paths or told.finds_its_files()]
        return found[0] if len(found) == 1 else None

    def _meant(self, file: Path, side: str) -> TableRows | str:
        within = "".join(f"{folder}/" for folder in file.parts[:-1])
        try:
            return table_rows(self._place / file, self._reading, self._wanted, split=side, within=within, root=self._place)
        except InputError as why:
            return str(why)


def own_table(folder: Path) -> Path | None:
    """The table that says what a folder holds, if it lies in it."""
    return next((folder / name for name in _OWN if (folder / name).is_file()), None)


def _sided(found: list[Path]) -> list[tuple[Path, str]]:
    """Tables named after sides, in one folder or under folders that are, and shards; hidden behind no other table."""
    sides = settled({str(file): _side(file) for file in found if _side(file) or is_shard(tables.stem(file))})
    named = {str(file) for file in found if side_of_file(tables.stem(file)) or is_shard(tables.stem(file))}
    return [(file, sides[str(file)]) for file in found if str(file) in named]


def _owned(found: list[Path]) -> list[tuple[Path, str]]:
    """Tables of pairs or metadata in folders within."""
    own = [file for file in found if file.name.lower() in _OWN]
    sides = settled({str(file): _side_of_folders(file) for file in own})
    return [(file, sides[str(file)]) for file in own]


def _few(place: Path, found: list[Path]) -> list[Path]:
    """Tables in the folder or one below, and lists there whose ending says nothing, if they are few."""
    near = [file for file in found if len(file.parts) <= 2]
    lists = sorted(file for file in place.glob("*.txt") if file.is_file() and file.name[0] != ".")
    return [file for file in (*near, *(Path(one.name) for one in lists)) if len(near) + len(lists) <= _FEW]


def _side(file: Path) -> str:
    return side_of_file(tables.stem(file)) or _side_of_folders(file)


def _side_of_folders(file: Path) -> str:
    return next((side for folder in reversed(file.parts[:-1]) if (side := side_of(folder))), "")


def _unread(place: Path, read: list[Path], reading: Reading, wanted: Wanted) -> tuple[str, ...]:
    """A remark on files that lie in no folder of a table, where each of these speaks for its own folder."""
    if not all(file.name.lower() in _OWN for file in read):
        return ()
    homes = {file.parent for file in read}
    files = (Path(one.place) for one in walk(place, follow=reading.follow_links) if not one.unreadable)
    left = [file for file in files if homes.isdisjoint(file.parents) and wanted.modality(file) and not tables.is_table(file)]
    return (f"{len(left)} files in folders without a table were not read, such as {left[0]}",) if left else ()


def _unnamed(place: Path, only: TableRows, reading: Reading, wanted: Wanted) -> tuple[str, ...]:
    """A remark on files of known kind where the folder's only table names fewer than half of them."""
    files = {
        place / one.place for one in walk(place, follow=reading.follow_links) if not one.unreadable and wanted.place(one.place)
    }
    left = {file for file in files if wanted.modality(file) not in ("", "document", "text") and not tables.is_table(file)}
    half = len(left) / 2
    for row in only if left else ():
        if row.item is not None and row.item.path is not None:
            left.discard(row.item.path)
        if len(left) <= half:
            return ()
    return (f"{len(left)} files that {only.file.name} does not name were not read, such as {min(left)}",) if left else ()
