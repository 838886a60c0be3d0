"""Labels as folders: one a class, with copies of or links to its items' files."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from textanchor.data.folders.archives import Member
from textanchor.errors import InputError
from textanchor.files import new_folder, write_json
from textanchor.labelling.formats.file_names import file_name
from textanchor.labelling.formats.gathering import Labels, as_json
from textanchor.labelling.project import Entry
from textanchor.records.items import Held

MARKER, SIGN = ".textanchor-labels.json", "textanchor labels"
HOW = ("copy", "link", "symlink")


def write_folders(labels: Labels, folder: Path, *, how: str = "copy", overwrite: bool = False) -> int:
    """A folder a class, and beside them a hidden file with every decision; how many files were written.

    `how` is `copy`, `link` (the same file under another name, on one disk) or `symlink`. An item of several classes stands in
    each. Raises `InputError` where there is nothing with a class, or an item has no file any more.
    """
    if how not in HOW:
        raise InputError(f"how='{how}': expected {', '.join(HOW)}")
    placed = list(_places(labels))
    if not placed:
        raise InputError("no item has a class yet, so that there is nothing for the folders")
    with new_folder(folder, overwrite=overwrite, marker=MARKER, sign=SIGN) as temporary:
        for place, entry in placed:
            target = temporary / place
            target.parent.mkdir(exist_ok=True)
            _put(entry, target, how)
        held = {labels.placing.name(name): as_json(decisions) for name, decisions in labels.decisions.items()}
        named = folder_names(labels)
        classes = {named[one.key]: {"key": one.key, "text": one.text} for one in labels.classes}
        files = {str(place): labels.placing.name(entry.id) for place, entry in placed}
        write_json(temporary / MARKER, {"about": SIGN, "classes": classes, "files": files, "decisions": held})
    return len(placed)


def _places(labels: Labels) -> Iterator[tuple[PurePosixPath, Entry]]:
    """Where each file goes; files of one name are told apart by the folders that they come from."""
    taken: set[str] = set()
    folders = folder_names(labels)
    for entry in labels.entries:
        for key in entry.state.classes:
            folder = folders[key]
            for name in _candidates(entry):
                place = PurePosixPath(folder, file_name(name))
                if str(place).lower() not in taken:  # some file systems fold case
                    taken.add(str(place).lower())
                    yield place, entry
                    break


def folder_names(labels: Labels) -> dict[str, str]:
    """By class; names that differ in case only get their number, because some file systems take them for one."""
    found: dict[str, str] = {}
    taken: set[str] = set()
    for place, one in enumerate(labels.classes):
        name = file_name(one.key)
        found[one.key] = name if name.lower() not in taken else f"{name}~{place}"
        taken.add(found[one.key].lower())
    return found


def _candidates(entry: Entry) -> Iterator[str]:
    """Names for an item's file, the plainest first."""
    parts = [one for one in entry.id.split("/") if one]
    ending = _ending(entry)
    for start in range(len(parts) - 1, -1, -1):
        name = " ".join(parts[start:])
        yield name if not ending or name.lower().endswith(ending.lower()) else f"{name}{ending}"
    stem, dot, last = parts[-1].rpartition(".") if parts else ("item", "", "")
    yield f"{stem or last} ({entry.number}){dot}{last if stem else ''}"


def _ending(entry: Entry) -> str:
    if entry.item.path is not None:
        return entry.item.path.suffix
    if isinstance(entry.item.value, Member):
        return PurePosixPath(entry.item.value.name).suffix
    return ".txt" if isinstance(entry.item.value, str) else ""


def _put(entry: Entry, target: Path, how: str) -> None:
    value, path = entry.item.value, entry.item.path
    if path is None:
        if isinstance(value, str):
            target.write_text(value, encoding="utf-8")
        elif isinstance(value, Held):
            target.write_bytes(value.read())
        else:
            raise InputError(f"{entry.id} lay in memory only and has no file; export a table instead")
        return
    if not path.is_file():
        raise InputError(f"{entry.id}: {path} is gone; look at the sources again: textanchor label sync")
    if how == "symlink":
        target.symlink_to(path.absolute())
    elif how == "link":
        _link(path, target)
    else:
        shutil.copyfile(path, target)


def _link(path: Path, target: Path) -> None:
    try:
        os.link(path, target)
    except OSError as why:
        raise InputError(f"{path} cannot be linked to {target.parent} ({why.strerror}); copy, or use symlinks") from None
