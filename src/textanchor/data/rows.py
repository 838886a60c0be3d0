"""What tables and folders say, row by row, before anything is opened: items, texts, groups, sides, and what is wrong."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from textanchor.data import tables
from textanchor.data.readers import guess_modality, reader
from textanchor.errors import InputError
from textanchor.records import Item
from textanchor.registry import names

TABLES = tuple(f"{stem}{ending}" for stem in ("pairs", "metadata") for ending in tables.ENDINGS)
SPLITS = {
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("val", "valid", "validation", "dev"), "val"),
    **dict.fromkeys(("test", "testing", "heldout", "held-out"), "test"),
}
_PATH, _TEXT = ("path", "file_name", "filename"), ("text", "caption", "label")


@dataclass(frozen=True, kw_only=True)
class Row:
    """One row as found; `modality` is what it says of a text that has no item."""

    place: str
    item: Item | None
    text: str
    group: str = ""
    split: str = ""
    modality: str = ""
    problem: str = ""


def rows(source: Path, asked: str | None) -> Iterator[Row]:
    """Every row of a table, of a folder with tables or of a folder of files; `asked`: the modality where an ending says none.

    Raises `InputError` if a table cannot be read.
    """
    if source.is_file():
        yield from _table(source, asked)
        return
    own = own_table(source)
    nested = [] if own else [table for folder in _folders(source) if (table := own_table(folder))]
    if own:
        yield from _table(own, asked)
    elif nested:
        for table in nested:
            yield from _table(table, asked, split=SPLITS.get(table.parent.name.lower(), ""), within=f"{table.parent.name}/")
    else:
        yield from _folder(source, asked)


def own_table(folder: Path) -> Path | None:
    """The table that says what a folder holds, if it lies in it."""
    return next((folder / name for name in TABLES if (folder / name).is_file()), None)


def _folders(place: Path) -> list[Path]:
    """Folders within a folder, by name; none where it cannot be listed, which its walk reports."""
    try:
        with os.scandir(place) as entries:
            return sorted(place / entry.name for entry in entries if entry.is_dir() and entry.name[0] != ".")
    except OSError:
        return []


def _folder(root: Path, asked: str | None) -> Iterator[Row]:
    """`[split/]class/.../file`; hidden files are passed over, files of unknown kind are reported."""
    for place, unreadable in _walk(str(root), ""):
        path = root / place
        folders = place.split("/")[:-1]
        split = SPLITS.get(folders[0].lower(), "") if len(folders) > 1 else ""
        text = " ".join(folders[1 if split else 0].replace("_", " ").replace("-", " ").split()) if folders else ""
        problem = unreadable
        modality = "" if problem else _modality(path, asked)
        yield Row(
            place=place,
            item=Item(id=place, modality=modality, path=path) if modality else None,
            text=text,
            split=split,
            problem=problem or ("" if modality else f"unknown kind of file '{path.suffix}'"),
        )


def _walk(root: str, within: str) -> Iterator[tuple[str, str]]:
    """Files by name, folder by folder, and what is wrong with one; one folder's names are held at a time."""
    try:
        with os.scandir(f"{root}/{within}") as entries:
            listed = sorted(_kind(entry) for entry in entries if entry.name[0] != ".")
    except OSError as why:
        yield within.rstrip("/") or root, f"cannot be listed: {why.strerror}"
        return
    for name, is_folder, problem in listed:
        if is_folder:
            yield from _walk(root, f"{within}{name}/")
        else:
            yield f"{within}{name}", problem


def _kind(entry: os.DirEntry[str]) -> tuple[str, bool, str]:
    """A name, whether it is a folder, and why it is neither that nor a file; the listing itself says it, but for links."""
    if entry.is_dir(follow_symlinks=False):
        return entry.name, True, ""
    if entry.is_file():
        return entry.name, False, ""
    if entry.is_dir():
        return entry.name, False, "a link to a folder, which is not followed"
    return entry.name, False, "a link to nothing" if entry.is_symlink() else "not a regular file"


def _modality(path: Path, asked: str | None) -> str:
    """The modality asked for, if its reader takes such files; else what the ending says."""
    if asked and path.suffix.lower() in (*reader(asked).extensions, *getattr(reader(asked), "on_request", ())):
        return asked
    return guess_modality(path) or ""


@dataclass(frozen=True, kw_only=True)
class _Table:
    """A table, which of its columns hold paths and texts, and what its folder adds to its rows."""

    file: Path
    path: str | None
    text: str | None
    asked: str | None
    split: str
    within: str

    def row(self, number: int, cells: tables.Row) -> Row:
        place = cells.get(self.path, "") if self.path else ""
        value, text = cells.get("item_text", ""), " ".join(cells.get(self.text, "").split()) if self.text else ""
        side = cells.get("split", "") or self.split
        modality = cells.get("modality", "")
        item, problem = self._item(cells, place, value, modality)
        if tables.MORE in cells:
            problem = problem or "more cells than columns; a text with a comma needs quotes"
        if side and side.lower() not in SPLITS:
            problem = problem or f"unknown split '{side}' (known: {', '.join(SPLITS)})"
        if item is None and not problem:
            problem = _unknown(modality) if modality and text else "" if text else "neither an item nor a text"
        return Row(
            place=f"{self.within}{self.file.name}:{number} {place or value}".strip(),
            item=item,
            text=text,
            group=cells.get("group", ""),
            split=SPLITS.get(side.lower(), "") if side else "",
            modality=modality,
            problem=problem,
        )

    def _item(self, cells: tables.Row, place: str, value: str, modality: str) -> tuple[Item | None, str]:
        """The item of a row, or None, and what is wrong with it."""
        if place:
            file = self.file.parent / Path(place).expanduser()
            modality = modality or _modality(file, self.asked)
            if not modality:
                return None, f"unknown kind of file '{file.name}'"
            problem = _unknown(modality) or ("" if file.is_file() else f"no such file: {place}")
            item = Item(id=cells.get("item") or f"{self.within}{place}", modality=modality, path=file)
            return (None, problem) if problem else (item, "")
        if not value:
            return None, ""
        modality = modality or "document"
        return Item(id=cells.get("item") or value, modality=modality, value=value), _unknown(modality)


def _unknown(modality: str) -> str:
    return "" if modality in names("reader") else f"unknown modality '{modality}'"


def _table(file: Path, asked: str | None, *, split: str = "", within: str = "") -> Iterator[Row]:
    """Rows of one table; `within` keeps equal file names of several folders apart."""
    columns = tables.columns(file)
    path = next((name for name in _PATH if name in columns), None)
    text = next((name for name in _TEXT if name in columns), None)
    if columns and not (path or text or "item_text" in columns):
        raise InputError(
            f"{file} has the columns {', '.join(sorted(columns))}; expected `path` (or `file_name`, or `item_text`) and `text`"
        )
    table = _Table(file=file, path=path, text=text, asked=asked, split=split, within=within)
    for number, cells in tables.rows(file):
        yield table.row(number, cells)
