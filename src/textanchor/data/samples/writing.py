"""A sample set written as a folder with a table."""

from __future__ import annotations

import csv
import inspect
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from textanchor import registry
from textanchor.data.pairs import ABOUT
from textanchor.errors import InputError
from textanchor.files import located, new_folder, write_json

COLUMNS = ("path", "text", "modality", "group", "split")
Row = tuple[str, str, str, str, str]
DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")


def write_sample(name: str, folder: str | Path, *, overwrite: bool = False, **options: Any) -> Path:
    """Build a sample set in `folder`, whole or not at all, and return the folder.

    Raises `UnknownNameError`, `InputError` for an option that the sample does not have or an existing folder, and
    `MissingError` before any work if the sample needs a package that is not installed.
    """
    write = registry.load("sample", name)
    known = [key for key in inspect.signature(write).parameters if key != "folder"]
    for key in options:
        if key not in known:
            raise InputError(f"sample '{name}' has no option '{key}' (known: {', '.join(known) or 'none'})")
    place = located(folder)
    with new_folder(place, overwrite=overwrite, marker=ABOUT, sign='"sources": [') as new:
        write(new, **options)
    return place


def write_table(folder: Path, rows: Iterable[Row], about: Mapping[str, Any]) -> None:
    """Write `pairs.csv` with the shared columns, and `about.json` beside it."""
    with (folder / "pairs.csv").open("w", newline="", encoding="utf-8") as stream:
        table = csv.writer(stream, lineterminator="\n")
        table.writerow(COLUMNS)
        table.writerows(rows)
    write_json(folder / ABOUT, about)
