"""`textanchor classify`."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import click
import numpy as np

from textanchor.cli import options, printing
from textanchor.errors import InputError
from textanchor.runtime import Reading, Runtime


@dataclass(frozen=True, kw_only=True)
class Texts:
    """What items are to be told apart by, as typed and in a file."""

    text: tuple[str, ...]
    file: Path | None

    def read(self) -> list[str]:
        """All of them. Raises `InputError` for a file that is not readable text."""
        if self.file is None:
            return list(self.text)
        try:
            lines = self.file.read_text(encoding="utf-8-sig").splitlines()
        except (OSError, UnicodeDecodeError) as why:
            raise InputError(f"{self.file}: cannot be read as text ({type(why).__name__}); expected one text a line") from None
        return [*self.text, *(line.strip() for line in lines if line.strip())]


_TEXTS = (
    click.option("--text", multiple=True, help="One of the texts to choose from. Repeat for more."),
    click.option("--texts", "file", type=click.Path(path_type=Path), help="File with one text a line."),
)


@click.command()
@click.argument("space", type=click.Path(path_type=Path))
@click.argument("items", nargs=-1, required=True, type=click.Path(path_type=Path))
@options.gathered("texts", Texts, *_TEXTS)
@click.option("-k", type=click.IntRange(min=1), default=1, show_default=True, help="Texts shown an item, the likeliest first.")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="CSV file for the probabilities of all texts.")
@options.reading_of_items
@options.encoders
@options.runtime
@options.overwrite
@options.as_json
def command(
    space: Path,
    items: tuple[Path, ...],
    texts: Texts,
    k: int,
    output: Path | None,
    reading: Reading,
    encoders: dict[str, str],
    runtime: Runtime,
    overwrite: bool,
    as_json: bool,
) -> None:
    """Say which of some texts each of ITEMS is, and how probable that is if it is one of them.

    ITEMS are files, folders or tables. Scores become probabilities by a temperature that was fitted on validation pairs; a
    space that had none says so.
    """
    from textanchor.collections.taking import items_at, known_items
    from textanchor.files import refuse_existing, write_csv
    from textanchor.space.classifying import classified
    from textanchor.space.storage import load

    if output:
        refuse_existing(output, overwrite=overwrite)
    wanted = texts.read()
    found, skipped = items_at(items, reading)
    opened = load(space, encoders=encoders, runtime=runtime)
    known, foreign = known_items(opened, found)
    named = classified(opened, known, wanted, runtime=runtime)
    left_out = [*skipped, *foreign, *named.skipped]
    printing.skipped(left_out)
    for note in named.notes:
        printing.say(f"note: {note}")
    rows = list(zip(named.items, named.probabilities, strict=True))
    if output:
        write_csv(output, [("item", *named.texts), *((item.id, *row.tolist()) for item, row in rows)])
    if as_json:
        records = [_record(item, named.texts, row) for item, row in rows]
        printing.dump({"items": records, "notes": named.notes, "skipped": [asdict(one) for one in left_out]})
    else:
        printing.table([line for item, row in rows for line in _lines(item, named.texts, row, k)])


def _lines(item: Any, texts: tuple[str, ...], row: np.ndarray, k: int) -> list[dict[str, Any]]:
    best = np.argsort(-row, kind="stable")[:k]
    return [{"item": item.id, "text": texts[place], "probability": float(row[place])} for place in best]


def _record(item: Any, texts: tuple[str, ...], row: np.ndarray) -> dict[str, Any]:
    """All that is known of one item, the likeliest text by itself."""
    (best,) = _lines(item, texts, row, 1)
    told = dict(zip(texts, row.tolist(), strict=True))
    return {**best, "modality": item.modality, "path": str(item.path) if item.path else None, "probabilities": told}
