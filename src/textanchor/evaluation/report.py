"""One self-contained HTML file, and the same figures as JSON."""

from __future__ import annotations

from pathlib import Path

from textanchor.evaluation import Evaluation
from textanchor.evaluation.answers import answers, classes, confusions
from textanchor.evaluation.drawing import HEIGHT, SIDE, WIDTH, drawn
from textanchor.evaluation.gallery import shelves
from textanchor.evaluation.held_out import HELD_OUT, TRAINING
from textanchor.evaluation.sheets import sheets
from textanchor.evaluation.verdict import cards, percent, verdict
from textanchor.evaluation.wrong import wrong
from textanchor.files import located, new_folder, write_bytes, write_json
from textanchor.pages import Album, rendered
from textanchor.space import Space

MATRIX, BARS, LISTED, CONFUSED = 25, 15, 300, 15  # classes in a matrix, and of more at once and in all; confusions


def write_report(
    evaluation: Evaluation, space: Space, folder: str | Path, *, overwrite: bool = False, title: str = "textanchor report"
) -> Path:
    """Write `report.html` (no reference to anything outside it) and `metrics.json` into a folder; returns the HTML's path.

    Raises `InputError` if the folder exists and is not ours or `overwrite` is not given.
    """
    place, metrics, album = located(folder), evaluation.metrics(), Album(space.runtime.limits)
    found = {name: answers(space.geometry, pairs) for name, pairs in evaluation.judged.pairs[HELD_OUT].items()}
    named = {name: classes(own) for name, own in found.items()}
    html = rendered(
        "textanchor.evaluation",
        "report.html.jinja",
        title=title,
        metrics=metrics,
        verdict=verdict(evaluation, named),
        cards=cards(evaluation, named),
        percent=percent,
        shelves=shelves(space.geometry, evaluation.judged, album, seed=evaluation.seed),
        wrong=wrong(found, evaluation.judged.items, album),
        map=evaluation.map,
        drawn=drawn(evaluation.map, evaluation.judged.items, album) if evaluation.map else None,
        canvas=(WIDTH, HEIGHT, SIDE),
        named={name: (own, confusions(own)[:CONFUSED]) for name, own in named.items() if own},
        bounds=(MATRIX, BARS, LISTED),
        sheets=sheets(metrics),
        training=TRAINING,
        fitted=space.modalities,
        anchor=space.anchor,
        missing=album.missing,
    )
    with new_folder(place, overwrite=overwrite, marker="metrics.json", sign='"emergent"') as new:
        write_json(new / "metrics.json", metrics)
        write_bytes(new / "report.html", html)
    return place / "report.html"
