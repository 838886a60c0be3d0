"""Rows of figures as the cells of a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from markupsafe import Markup

LETTERS = 200
INTERVAL, OF = "R@1 interval", "R@1"  # an interval stands in the cell of its figure


def columns(rows: Sequence[Mapping[str, object]]) -> list[str]:
    """Columns of all rows; one that some rows lack stands behind the one that it follows in others."""
    found: list[str] = []
    for row in rows:
        place = len(found)
        for name in row:
            if name in found:
                place = found.index(name) + 1
            else:
                found.insert(place, name)
                place += 1
    return [name for name in found if name != INTERVAL]


def cell(row: Mapping[str, object], column: str) -> str:
    """A figure to three decimals, with its interval if it has one; a dash where it does not apply."""
    value = row.get(column)
    if value is None:
        return "–"
    interval = row.get(INTERVAL) if column == OF else None
    return f"{_plain(value)} {_plain(interval)}" if interval else _plain(value)


def stacked(row: Mapping[str, object], column: str) -> Markup:
    """A cell for a narrow column: the interval stands below its figure; endless text is cut."""
    value, interval = row.get(column), row.get(INTERVAL) if column == OF else None
    if value is None or not interval:
        return Markup("{}").format(cell(row, column)[:LETTERS])
    return Markup("{}<small>{}</small>").format(_plain(value), _plain(interval))


def _plain(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.3f}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_plain(entry) for entry in value) + "]"
    return str(value)
