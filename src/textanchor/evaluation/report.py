"""One self-contained HTML file, and the same figures as JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from textanchor.evaluation import Evaluation
from textanchor.evaluation.drawing import svg
from textanchor.evaluation.gallery import shelves
from textanchor.evaluation.held_out import TRAINING
from textanchor.files import new_folder, write_bytes, write_json
from textanchor.space import Space

TITLES = {
    "alignment": "Items and texts",
    "emergent": "Modalities that were never paired",
    "differences": "Paired differences",
    "probes": "Probes: label a part, predict the rest",
}


def write_report(
    evaluation: Evaluation, space: Space, folder: str | Path, *, overwrite: bool = False, title: str = "textanchor report"
) -> Path:
    """Write `report.html` (no reference to anything outside it) and `metrics.json` into a folder; returns the HTML's path.

    Raises `InputError` if the folder exists and is not ours or `overwrite` is not given.
    """
    place, metrics = Path(folder).expanduser(), evaluation.metrics()
    html = rendered(
        "textanchor.evaluation",
        "report.html.jinja",
        title=title,
        metrics=metrics,
        tables=[(TITLES[name], name, columns(metrics[name]), metrics[name]) for name in TITLES if metrics[name]],
        training=TRAINING,
        fitted=space.modalities,
        anchor=space.anchor,
        map=evaluation.map,
        drawing=Markup(svg(evaluation.map)) if evaluation.map else "",
        shelves=shelves(space, evaluation.judged, seed=evaluation.seed),
    )
    with new_folder(place, overwrite=overwrite, marker="metrics.json") as new:
        write_json(new / "metrics.json", metrics)
        write_bytes(new / "report.html", html.encode())
    return place / "report.html"


def rendered(package: str, template: str, **values: Any) -> str:
    """A page from a template that lies in a package; everything is escaped, and a missing value is an error."""
    page = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    page.filters["cell"] = cell
    return page.from_string(files(package).joinpath(template).read_text(encoding="utf-8")).render(**values)


def columns(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Columns of all rows in order of first appearance; an interval stands in the cell of its figure."""
    return [name for name in dict.fromkeys(key for row in rows for key in row) if name != "R@1 interval"]


def cell(row: Mapping[str, Any], column: str) -> str:
    """A figure to three decimals, with its interval if it has one; a dash where it does not apply."""
    value = row.get(column)
    if value is None:
        return "–"
    text = _plain(value)
    interval = row.get("R@1 interval") if column == "R@1" else None
    return f"{text} {_plain(interval)}" if interval else text


def _plain(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.3f}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_plain(part) for part in value) + "]"
    return str(value)
