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
PROBE = ("split", "modality", "labelled", "features", "accuracy", "spread", "folds")
TOLD = ("direction", "verdict", "labelled")  # stay in the table even where they are all alike
Row = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Sheet:
    """A table: its rows under each split, without the columns that are the same in all of them, which `alike` tells.

    `numbers` are the columns that hold figures.
    """

    name: str
    title: str
    columns: list[str]
    numbers: set[str]
    parts: list[tuple[str, list[Row]]]
    alike: dict[str, str]


def sheets(metrics: Mapping[str, Any]) -> list[Sheet]:
    """One for each kind of figures that there is."""
    shape = {"probes": _side_by_side}
    return [_sheet(name, shape.get(name, _narrow)(metrics[name])) for name in TITLES if metrics[name]]


def _sheet(name: str, rows: Sequence[Row]) -> Sheet:
    names = [key for key in columns(rows) if key != "split"]
    same = {key: rows[0].get(key) for key in names if key not in TOLD and all(row.get(key) == rows[0].get(key) for row in rows)}
    alike = {key: value for key, value in same.items() if isinstance(value, str)}
    splits = dict.fromkeys(row.get("split", "") for row in rows)
    return Sheet(
        name=name,
        title=TITLES[name],
        columns=[key for key in names if key not in alike],
        numbers={key for key in names if all(isinstance(row.get(key), int | float | None) for row in rows)},
        parts=[(split, [row for row in rows if row.get("split", "") == split]) for split in splits],
        alike=alike,
    )


def _narrow(rows: Sequence[Row]) -> Sequence[Row]:
    """Both ends of a direction in one cell, behind the space."""
    made = []
    for row in rows:
        way = {"direction": " → ".join(str(row[end]) for end in WAY)} if all(end in row for end in WAY) else {}
        space = {"space": row["space"]} if "space" in row else {}
        made.append({**space, **way, **{key: value for key, value in row.items() if key not in (*WAY, *APART, *space)}})
    return made


def _side_by_side(rows: Sequence[Row]) -> Sequence[Row]:
    """Accuracies of what sees different features beside each other, each with its spread; what else there is of it behind."""
    made: dict[tuple[str, ...], dict[str, Any]] = {}
    for row in rows:
        known = {key: row[key] for key in ("split", "modality", "labelled")}
        figures = made.setdefault(tuple(known.values()), {**known, "folds": row["folds"]})
        more = "".join(f", {name} {row[name]:.3f}" for name in row if name not in PROBE and row[name] is not None)
        figures[row["features"]] = f"{row['accuracy']:.3f}\N{NO-BREAK SPACE}±\N{NO-BREAK SPACE}{row['spread']:.3f}{more}"
    return list(made.values())
