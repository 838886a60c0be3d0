"""How an export calls items and their files: as seen from the folder that holds them, which may lie elsewhere tomorrow."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path, PurePath

from textanchor.database import Database
from textanchor.escaping import writable
from textanchor.labelling.project import Entry
from textanchor.labelling.project.sourcing import roots


@dataclass(frozen=True)
class Placing:
    """Names below a `folder`, where there is one; `ids` are all that the project knows its items by."""

    folder: Path | None
    ids: frozenset[str]

    def below(self, path: str | Path) -> str:
        """A path as seen from the folder, with slashes; one that does not lie below it as it is."""
        told = PurePath(writable(str(path)))
        start = None if self.folder is None else writable(str(self.folder))
        return told.relative_to(start).as_posix() if start is not None and told.is_relative_to(start) else writable(str(path))

    def start(self, path: Path) -> str | None:
        """The folder's own name, where the path is told as seen from it."""
        return writable(self.folder.name) if self.folder is not None and path.is_relative_to(self.folder) else None

    def name(self, own: str) -> str:
        """An item's id, of which some are paths; one that another item has in that form stays as it is."""
        told = self.below(own)
        return own if told in self.ids else told

    @property
    def names(self) -> dict[str, str]:
        """The ids of those items that are called otherwise outside."""
        return {told: own for own in self.ids if (told := self.name(own)) != own}


def placing(database: Database, entries: Iterable[Entry]) -> Placing:
    """By the project's source, or the folder that holds all of them."""
    return Placing(folder=item_folder(database), ids=frozenset(one.id for one in entries))


def item_folder(database: Database) -> Path | None:
    """The folder that holds the files of all sources; None where items came from nowhere or from everywhere."""
    folders = [last.parent if last.is_file() else last for *_, last in roots(database)]
    try:
        common = Path(os.path.commonpath(folders)) if folders else None
    except ValueError:  # on several drives
        return None
    return common if common is not None and common != Path(common.anchor) else None
