"""The tables of a report, as narrow as what they say allows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from textanchor.pages import columns

TITLES = {
    "alignment": "Items and texts",
    "emergent": "Modalities that were never paired",
    "differences": "Paired differences",
    "probes": "Probes: label a part, predict the rest",
    "zero-shot": "Classes that no fit has seen",
}
APART = ("table", "draws")  # columns that say nothing to a reader
WAY = ("query", "gallery")
Row = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Sheet:
    """A table: its rows under each split, without the columns that are the same in all of them, which `alike` tells."""

    name: str
    title: str
    columns: list[str]
    parts: list[tuple[str, list[Row]]]
    alike: dict[str, str]


def sheets(metrics: Mapping[str, Any]) -> list[Sheet]:
    """One for each kind of figures that there is."""
    return [_sheet(name, [_narrow(row) for row in metrics[name]]) for name in TITLES if metrics[name]]


def _sheet(name: str, rows: Sequence[Row]) -> Sheet:
    names = columns(rows)
    alike = {key: rows[0][key] for key in names if isinstance(rows[0].get(key), str) and key not in ("direction", "verdict")}
    alike = {key: value for key, value in alike.items() if key != "split" and all(row.get(key) == value for row in rows)}
    parts = [(split, [row for row in rows if row.get("split", "") == split]) for split in dict.fromkeys(row.get("split", "") for row in rows)]
    shown = [key for key in names if key not in alike and key != "split"]
    return Sheet(name=name, title=TITLES[name], columns=shown, parts=parts, alike=alike)


def _narrow(row: Row) -> Row:
    """Both ends of a direction in one cell."""
    way = {"direction": " → ".join(str(row[end]) for end in WAY)} if all(end in row for end in WAY) else {}
    kept = {key: value for key, value in row.items() if key not in (*WAY, *APART)}
    first = {key: kept.pop(key) for key in ("space",) if key in kept}
    return {**first, **way, **kept}
