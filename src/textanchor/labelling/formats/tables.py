"""Labels as a CSV or Parquet table: a row an item, with how it stands, what is proposed, and its decisions as JSON."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from textanchor.escaping import writable
from textanchor.files import new_file
from textanchor.labelling.formats.gathering import Labels, as_json
from textanchor.labelling.formats.placing import Placing
from textanchor.labelling.project import Entry

BETWEEN = "|"  # several classes of an item
COLUMNS = (
    ("item", pa.string()),
    ("path", pa.string()),
    ("folder", pa.string()),  # below which the path is told
    ("modality", pa.string()),
    ("group", pa.string()),
    ("status", pa.string()),
    ("label", pa.string()),
    ("who", pa.string()),
    ("at", pa.string()),
    ("people", pa.int32()),
    ("disagree", pa.bool_()),
    ("proposed", pa.string()),
    ("probability", pa.float32()),
    ("let through", pa.bool_()),
    ("decisions", pa.string()),
)
NAMES = tuple(name for name, _ in COLUMNS)


def write_csv(labels: Labels, file: Path, *, overwrite: bool) -> None:
    """A table that any program reads; empty cells are what is not known."""
    text = io.StringIO()
    table = csv.writer(text)
    table.writerow(NAMES)
    table.writerows(_rows(labels))
    with new_file(file, overwrite=overwrite) as temporary:
        temporary.write_bytes(writable(text.getvalue()).encode())


def write_parquet(labels: Labels, file: Path, *, overwrite: bool) -> None:
    """The same with types."""
    columns = list(zip(*_rows(labels), strict=True)) or [()] * len(COLUMNS)
    schema = pa.schema([pa.field(name, kind) for name, kind in COLUMNS])
    table = pa.table([pa.array(values, kind) for values, (_, kind) in zip(columns, COLUMNS, strict=True)], schema=schema)
    with new_file(file, overwrite=overwrite) as temporary:
        pq.write_table(table, temporary)


def _rows(labels: Labels) -> Iterator[Sequence[object]]:
    for entry in labels.entries:
        state, proposed = entry.state, entry.proposed
        decisions = as_json(labels.decisions.get(entry.id, ()))
        yield (
            labels.placing.name(entry.id),
            *_place(entry, labels.placing),
            entry.modality,
            entry.group or None,
            state.status,
            BETWEEN.join(state.classes) or None,
            state.who or None,
            state.at or None,
            state.people,
            state.disagree,
            BETWEEN.join(proposed.classes) if proposed else None,
            round(proposed.probability, 6) if proposed else None,
            proposed.through if proposed else None,
            json.dumps(decisions, ensure_ascii=False) if decisions else None,
        )


def _place(entry: Entry, placing: Placing) -> tuple[str | None, str | None]:
    """Its file and the folder in which the path begins; None for what has no file, and for a path that is whole."""
    path = entry.item.path
    return (None, None) if path is None else (placing.below(path), placing.start(path))
