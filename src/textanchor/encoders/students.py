"""Students of text anchors, by the file that `textanchor distill` puts beside a model's own."""

from __future__ import annotations

from pathlib import Path

from textanchor.encoders.bert import Bert, runs_here
from textanchor.encoders.static import Static
from textanchor.errors import DamagedError
from textanchor.files import check_format, digest, file_digest, read_json

MARK, FORMAT = "student.json", 1
STATIC = "static"


def student(folder: Path, *, device: str) -> Bert | Static | None:
    """A student that runs here with no library, or None for any other model. Raises `DamagedError`, or `InputError` for a later
    format."""
    if not (folder / MARK).is_file():
        return None
    told = read_json(folder / MARK)
    if not isinstance(told, dict) or "kind" not in told:
        raise DamagedError(f"{folder / MARK}: not what describes a student; restore the folder")
    check_format(folder / MARK, told.get("format"), FORMAT)
    if told["kind"] == STATIC:
        return Static(folder)
    if not runs_here(folder):
        return None
    files = [*sorted(folder.rglob("*.safetensors")), folder / "tokenizer.json"]
    return Bert(folder, device=device, weights=digest("bert", *map(file_digest, files)))
