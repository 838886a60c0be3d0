"""Where the rows of a source are: in a table, in the tables of a folder, or in its files."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from textanchor.data import tables
from textanchor.data.folder_rows import FolderRows, walk
from textanchor.data.rows import Row, Wanted
from textanchor.data.side_names import EVAL, is_shard, settled, side_of, side_of_file
from textanchor.data.streams import PACKED, kind
from textanchor.data.table_rows import TableRows, table_rows
from textanchor.errors import InputError
from textanchor.runtime import Reading

_STEMS = ("pairs", "metadata")
_OWN = tuple(f"{stem}{ending}{pack}" for stem in _STEMS for ending in tables.ENDINGS for pack in ("", *PACKED))


@dataclass(frozen=True, kw_only=True)
class Source:
    """Rows of a source, in order, and in a line each what was taken for what."""

    parts: tuple[TableRows | FolderRows, ...]
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
    """A table; or of a folder its own table, its tables by split or in shards, its only table, those of folders within, its
    files. Without `captions` text files beside others are items; without `restrict` modalities only say what files are.

    Raises `InputError` for a table that cannot be read, `UnknownNameError` for a modality that nobody knows.
    """
    wanted = Wanted(reading, restrict=restrict)
    if place.is_file():
        return Source(parts=(table_rows(place, reading, wanted),))
    if (own := own_table(place)) and (told := _meant(own, reading, wanted, must=True)):
        return Source(parts=(told,))
    found = [Path(one.place) for one in walk(place, follow=reading.follow_links) if tables.is_table(Path(one.place))]
    for candidates, complete in ((_sided(found), False), (_owned(found), False), (_only(found) if captions else [], True)):
        meant = [(file, _within(place, file, side, reading, wanted)) for file, side in candidates]
        parts = {file: part for file, part in meant if part is not None and (part.columns.pairs or not complete)}
        if parts:
            return Source(parts=tuple(parts.values()), remarks=_unread(place, list(parts), reading, wanted))
    return Source(parts=(FolderRows(place, reading, wanted, captions),))


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


def _only(found: list[Path]) -> list[tuple[Path, str]]:
    """The one table that lies in the folder itself."""
    here = [file for file in found if len(file.parts) == 1]
    return [(here[0], "")] if len(here) == 1 else []


def _side(file: Path) -> str:
    return side_of_file(tables.stem(file)) or _side_of_folders(file)


def _side_of_folders(file: Path) -> str:
    return next((side for folder in reversed(file.parts[:-1]) if (side := side_of(folder))), "")


def _within(place: Path, file: Path, side: str, reading: Reading, wanted: Wanted) -> TableRows | None:
    within = "".join(f"{folder}/" for folder in file.parts[:-1])
    return _meant(place / file, reading, wanted, split=side if side != EVAL else "test", within=within)


def _meant(
    file: Path, reading: Reading, wanted: Wanted, *, split: str = "", within: str = "", must: bool = False
) -> TableRows | None:
    """A table of items and texts; None for any other, unless it must be one."""
    try:
        told = table_rows(file, reading, wanted, split=split, within=within)
    except InputError:
        if must and kind(file) != ".json":
            raise
        return None
    return told if must or told.columns.paths or told.columns.item_text else None


def _unread(place: Path, read: list[Path], reading: Reading, wanted: Wanted) -> tuple[str, ...]:
    """A remark on files that lie in no folder of a table, where each of these speaks for its own folder."""
    if not all(file.name.lower() in _OWN for file in read):
        return ()
    homes = {file.parent for file in read}
    files = (Path(one.place) for one in walk(place, follow=reading.follow_links) if not one.unreadable)
    left = [file for file in files if homes.isdisjoint(file.parents) and wanted.modality(file) and not tables.is_table(file)]
    return (f"{len(left)} files in folders without a table were not read, such as {left[0]}",) if left else ()
