"""Files by the names that tables give them: in either Unicode form, with either slash, from the folder that holds them."""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Sequence
from pathlib import Path

from textanchor.data.readers import guess_modality

_SAMPLE = 20


class Places:
    """Where the files of a table are; `base` is the folder in which their names begin."""

    def __init__(self, base: Path) -> None:
        self.base = base
        self._listings: dict[Path, dict[str, str]] = {}

    def found(self, name: str) -> tuple[Path, str] | None:
        """The file of that name and its name as it is on disk, or None."""
        for told in dict.fromkeys((name, name.replace("\\", "/"))):
            path = self.base / Path(told).expanduser()
            if _is_file(path):
                return path, told
            if (same := self._alike(told)) is not None:
                return same
        return None

    def _alike(self, name: str) -> tuple[Path, str] | None:
        """By parts that look equal; a last part without an ending may have that of its only file."""
        where = Path(name).expanduser()
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


def base_of(folder: Path, names: Sequence[str]) -> Path:
    """The folder in which a table's names begin: its own, or the one within it that alone holds all of the first twenty."""
    sample = [name for name in names if name][:_SAMPLE]
    own = Places(folder)
    if not sample or any(own.found(name) for name in sample):
        return folder
    try:
        with os.scandir(folder) as entries:
            within = sorted(entry.name for entry in entries if entry.is_dir() and entry.name[0] != ".")[:50]
    except OSError:
        return folder
    holding = [name for name in within if Places(folder / name).found(sample[0])]
    whole = [name for name in holding if all(map(Places(folder / name).found, sample))]
    return folder / whole[0] if len(whole) == 1 else folder


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):  # too long for a name, or a NUL in it
        return False
