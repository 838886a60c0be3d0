"""One way out: the format by its name or the output's ending."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypedDict, Unpack

from textanchor.errors import InputError
from textanchor.files import located
from textanchor.labelling.formats.class_folders import write_folders
from textanchor.labelling.formats.gathering import labels_of
from textanchor.labelling.formats.label_studio import Serving, write_label_studio
from textanchor.labelling.formats.tables import write_csv, write_parquet
from textanchor.labelling.project import Project

FORMATS = ("csv", "parquet", "folder", "label-studio")


@dataclass(frozen=True, kw_only=True)
class Exporting:
    """How labels are written: the `format` ("": by the ending), files of folders as `copy`, `link` or `symlink`, where Label
    Studio finds files, whether open items are left out, and whether an older output is replaced."""

    format: str = ""
    how: str = "copy"
    serving: Serving = field(default_factory=Serving)
    only_decided: bool = False
    overwrite: bool = False


class SimpleExporting(TypedDict, total=False):
    """The fields of `Exporting` as keywords."""

    format: str
    how: str
    serving: Serving
    only_decided: bool
    overwrite: bool


@dataclass(frozen=True, kw_only=True)
class ExportedLabels:
    """What was written where: the format, how many items, how many files, and the folder in which their paths begin, None where
    they are whole."""

    output: Path
    format: str
    items: int
    files: int
    folder: Path | None = None


def export_labels(
    project: Project, output: str | Path, told: Exporting | None = None, **simple: Unpack[SimpleExporting]
) -> ExportedLabels:
    """Write a project's labels as a table (`.csv`, `.parquet`), a folder a class, or tasks and configuration for Label Studio.

    What is told stands in the record, or in its fields as keywords, such as `format="folder"`. Every decision with who and when
    goes along, and `import_labels` reads it back. Raises `InputError` for a format that nobody knows, or an output that exists.
    """
    how, place = replace(told or Exporting(), **simple), located(output)
    kind = format_of(place, how.format)
    labels = labels_of(project, only_decided=how.only_decided)
    files, start = 1, labels.placing.folder
    if kind == "csv":
        write_csv(labels, place, overwrite=how.overwrite)
    elif kind == "parquet":
        write_parquet(labels, place, overwrite=how.overwrite)
    elif kind == "folder":
        files, start = write_folders(labels, place, how=how.how, overwrite=how.overwrite), place
    else:
        files = 2 * len(write_label_studio(labels, place, how.serving, overwrite=how.overwrite))
        start = how.serving.below(start)
    return ExportedLabels(output=place, format=kind, items=len(labels.entries), files=files, folder=start)


def format_of(output: Path, told: str = "") -> str:
    """The format's name. Raises `InputError` where neither name nor ending says it."""
    if told in FORMATS:
        return told
    ending = output.suffix.lower().lstrip(".")
    if not told and ending in ("csv", "parquet"):
        return ending
    what = f"'{told}' is no format" if told else f"{output} does not say in which format"
    raise InputError(f"{what} (known: {', '.join(FORMATS)}); name one: --format folder")
