"""One self-contained HTML file, and the same figures as JSON."""

from __future__ import annotations

from pathlib import Path

from markupsafe import Markup

from textanchor.evaluation import Evaluation
from textanchor.evaluation.drawing import svg
from textanchor.evaluation.gallery import shelves
from textanchor.evaluation.held_out import TRAINING
from textanchor.files import new_folder, write_bytes, write_json
from textanchor.pages import columns, rendered
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
        shelves=shelves(space.geometry, evaluation.judged, space.runtime.limits, seed=evaluation.seed),
    )
    with new_folder(place, overwrite=overwrite, marker="metrics.json", sign='"emergent"') as new:
        write_json(new / "metrics.json", metrics)
        write_bytes(new / "report.html", html.encode(errors="backslashreplace"))
    return place / "report.html"
