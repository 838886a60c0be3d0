"""One row of a table, or one file of a folder, before anything is opened; and which of them are wanted."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import translate
from pathlib import Path

from textanchor.data.readers import guess_modality, reader
from textanchor.records import Item
from textanchor.records.items import NO_FIELDS, Field
from textanchor.runtime import Reading

LOST, STRAY, UNASKED = "lost", "stray", "unasked"
UNREAD = "a table that was not read"


@dataclass(frozen=True, kw_only=True)
class Row:
    """One row as found; `modality` is what it says of a text that has no item.

    `split` is a side or `EVAL`, `folder` what each of the file's folders means, joined by slashes. What has a `problem` is no
    pair: it is `LOST` data, a `STRAY` file that nobody took for data, or `UNASKED`. `fields` are what else its table says.
    """

    place: str
    item: Item | None
    text: str
    group: str = ""
    split: str = ""
    folder: str = ""
    modality: str = ""
    problem: str = ""
    kind: str = LOST
    fields: Mapping[str, Field] = field(default_factory=lambda: NO_FIELDS)


class Wanted:
    """What of a source is asked for, by globs and modalities; without `restrict` the latter only say what files are."""

    def __init__(self, reading: Reading, *, restrict: bool = True) -> None:
        """Raises `UnknownNameError` for a modality that no reader reads."""
        self.asked = tuple(reader(modality).modality for modality in reading.modality)
        self._restrict = restrict and bool(self.asked)
        self._include = [_glob(one) for one in reading.include]
        self._exclude = [_glob(one) for one in reading.exclude]

    def place(self, place: str) -> bool:
        """Whether a path within the source is asked for."""
        if not self._include and not self._exclude:
            return True
        told = unicodedata.normalize("NFC", place)
        return (not self._include or _matches(told, self._include)) and not _matches(told, self._exclude)

    def kind(self, modality: str) -> bool:
        """Whether a modality is asked for."""
        return not self._restrict or modality in self.asked

    def modality(self, path: Path) -> str:
        """What a file is: by its ending, or as was asked where a reader of that modality takes such files; "" if unknown."""
        guessed = guess_modality(path) or ""
        if guessed in self.asked:
            return guessed
        ending = path.suffix.lower()
        taking = (name for name in self.asked if ending in (*reader(name).extensions, *getattr(reader(name), "on_request", ())))
        return next(taking, guessed)


def _glob(pattern: str) -> re.Pattern[str]:
    return re.compile(translate(unicodedata.normalize("NFC", pattern.removeprefix("./").rstrip("/"))))


def _matches(place: str, patterns: list[re.Pattern[str]]) -> bool:
    """A glob may mean the whole path, a folder that it begins with, or the name of the file or of one of its folders."""
    parts = place.split("/")
    told = {*parts, *("/".join(parts[:count]) for count in range(1, len(parts) + 1))}
    return any(pattern.match(one) for pattern in patterns for one in told)
