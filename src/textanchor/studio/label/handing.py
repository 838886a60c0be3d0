"""A project's labels as a file to take home."""

from __future__ import annotations

import io
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

from textanchor.errors import InputError
from textanchor.labelling.formats.exporting import Exporting, export_labels
from textanchor.studio.sources import Labelling

FORMATS = {
    "csv": ("Labels as CSV", "text/csv; charset=utf-8", ".csv"),
    "parquet": ("Labels as Parquet", "application/vnd.apache.parquet", ".parquet"),
    "label-studio": ("Label Studio, tasks and configuration", "application/zip", ".zip"),
    "certificate": ("The machine's certificate", "application/json", ".json"),
}


@dataclass(frozen=True, kw_only=True)
class Handed:
    """A file with its name and its type."""

    content: bytes
    name: str
    kind: str


def handed(source: Labelling, form: str) -> Handed:
    """The labels in a format, several files as an archive. Raises `InputError` for a format that nobody knows, or a certificate
    that there is none of."""
    if form not in FORMATS:
        raise InputError(f"no export is called '{form}' (known: {', '.join(FORMATS)})")
    _, kind, ending = FORMATS[form]
    content = _certificate(source) if form == "certificate" else _exported(source, form, ending)
    name = f"{source.name}{'' if ending == f'.{form}' else f'-{form}'}{ending}"
    return Handed(content=content, name=name, kind=kind)


def _exported(source: Labelling, form: str, ending: str) -> bytes:
    with tempfile.TemporaryDirectory(prefix="textanchor-export-") as folder:
        place = Path(folder) / f"labels{'' if ending == '.zip' else ending}"
        export_labels(source.project, place, Exporting(format=form))
        return _packed(place) if place.is_dir() else place.read_bytes()


def _packed(folder: Path) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(one for one in folder.rglob("*") if one.is_file()):
            archive.write(file, file.relative_to(folder).as_posix())
    return out.getvalue()


def _certificate(source: Labelling) -> bytes:
    run = source.project.run
    if run is None or not run.certificate:
        raise InputError("the machine has promised nothing yet, and so there is no certificate; let it propose")
    return run.certificate.encode()
