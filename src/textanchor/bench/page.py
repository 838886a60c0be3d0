"""The leaderboard as CSV and as one self-contained HTML file with plots."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from markupsafe import Markup

from textanchor.bench.board import Line, table
from textanchor.evaluation.drawing import as_svg
from textanchor.evaluation.report import columns, rendered
from textanchor.files import write_bytes, write_csv

if TYPE_CHECKING:
    from textanchor.bench import Board

SHOWN = 30  # methods in a plot


def write_board(board: Board) -> None:
    """`board.csv` and `board.html` in the bench's folder; the page refers to nothing outside it."""
    rows = table(board.validation)
    names = columns(rows)
    write_csv(board.folder / "board.csv", [names, *([row.get(name) for name in names] for row in rows)])
    tested = table(board.test)
    html = rendered(
        "textanchor.bench",
        "board.html.jinja",
        board=board,
        tables=[("Validation", names, rows), ("Test", columns(tested), tested)],
        differences=[
            (side, line.name, line.against)
            for side, held in (("test", board.test), ("validation", board.validation))
            for line in held
            if line.against
        ],
        plots=[Markup(_scores(board.validation)), Markup(_costs(board.validation))],
    )
    write_bytes(board.folder / "board.html", html.encode())


def _scores(held: Sequence[Line]) -> str:
    """Validation score of every method, with one standard deviation over seeds."""
    shown = list(reversed(held[:SHOWN]))
    figure, axes = _figure(0.32 * len(shown) + 1.2)
    axes.barh(
        range(len(shown)),
        [line.figures["score"] for line in shown],
        xerr=[line.spreads.get("score", 0.0) for line in shown],
        color="#4c78a8",
        height=0.7,
    )
    axes.set_yticks(range(len(shown)), [_short(line.name) for line in shown], fontsize=8)
    axes.set_xlabel("validation score (mean of item→text MRR and text→item mAP@10)")
    return as_svg(figure)


def _costs(held: Sequence[Line]) -> str:
    """Score against seconds a fit."""
    figure, axes = _figure(4.2)
    axes.scatter([line.seconds for line in held], [line.figures["score"] for line in held], color="#4c78a8")
    for line in held[:10]:
        axes.annotate(
            _short(line.name), (line.seconds, line.figures["score"]), fontsize=7, xytext=(4, 3), textcoords="offset points"
        )
    axes.set(xscale="log", xlabel="seconds a fit", ylabel="validation score")
    return as_svg(figure)


def _figure(height: float):  # type: ignore[no-untyped-def]
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, height), layout="constrained")
    return figure, figure.add_subplot()


def _short(name: str) -> str:
    return (name if len(name) <= 60 else f"{name[:57]}...").replace("$", r"\$")
