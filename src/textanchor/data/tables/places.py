"""Files by the names that tables give them: in either Unicode form, with either slash, from the folder that holds them."""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Sequence
from pathlib import Path

from textanchor.data.readers import guess_modality
from textanchor.data.side_names import side_of
from textanchor.escaping import written_back
from textanchor.files import located

_SAMPLE, _FOLDERS = 20, 50


class Places:
    """Where the files of a table are; `base` is the folder in which their names begin."""

    def __init__(self, base: Path) -> None:
        self.base = base
        self._listings: dict[Path, dict[str, str]] = {}

    def found(self, name: str) -> tuple[Path, str] | None:
        """The file of that name and its name as it is on disk, or None."""
        for told in dict.fromkeys((name, name.replace("\\", "/"), written_back(name))):
            path = self.base / located(told)
            if _is_file(path):
                return path, told
            if (same := self._alike(told)) is not None:
                return same
        return None

    def _alike(self, name: str) -> tuple[Path, str] | None:
        """By parts that look equal; a last part without an ending may have that of its only file."""
        where = located(name)
        place, parts = (Path(where.anchor), where.parts[1:]) if where.anchor else (self.base, where.parts)
        actual: list[str] = []
        for depth, part in enumerate(parts, start=1):
            names = self._listing(place)
            found = part if part in ("..", ".") else names.get(unicodedata.normalize("NFC", part))
            if found is None and depth == len(parts):
                found = names.get(f"{unicodedata.normalize('NFC', part)}\0")
            if found is None:
                return None
            place, actual = place / found, [*actual, found]
        if not _is_file(place):
            return None
        return place, str(place) if where.anchor else "/".join(actual)

    def _listing(self, folder: Path) -> dict[str, str]:
        """Composed names of a folder's entries, as they are on disk; under a stem and a NUL its only file of a known kind."""
        if folder not in self._listings:
            try:
                entries = sorted(entry.name for entry in folder.iterdir())
            except OSError:
                entries = []
            listing: dict[str, str] = {}
            stems: dict[str, list[str]] = {}
            for entry in entries:
                listing.setdefault(unicodedata.normalize("NFC", entry), entry)
                if guess_modality(Path(entry)):
                    stems.setdefault(unicodedata.normalize("NFC", Path(entry).stem), []).append(entry)
            listing |= {f"{stem}\0": held[0] for stem, held in stems.items() if len(held) == 1}
            self._listings[folder] = listing
        return self._listings[folder]


def base_of(folder: Path, names: Sequence[str], *, side: str = "", root: Path | None = None) -> Path:
    """The folder in which a table's names begin: its own, or of those within it, and within `root`, the one that holds most of
    the first twenty, and half of them. Folders of another side of the split are none."""
    sample = [name for name in names if name][:_SAMPLE]
    if not sample or any(map(Places(folder).found, sample)):
        return folder
    around = [*_within(folder), *([root, *_within(root)] if root is not None and root != folder else [])]
    held = {place: sum(map(bool, map(Places(place).found, sample))) for place in around if side_of(place.name) in ("", side)}
    best = max(held.values(), default=0)
    found = [place for place, count in held.items() if count == best]
    return found[0] if 2 * best >= len(sample) and len(found) == 1 else folder


def _within(folder: Path) -> list[Path]:
    try:
        with os.scandir(folder) as entries:
            return sorted(folder / entry.name for entry in entries if entry.is_dir() and entry.name[0] != ".")[:_FOLDERS]
    except OSError:
        return []


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):  # too long for a name, or a NUL in it
        return False
