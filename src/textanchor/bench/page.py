"""The leaderboard as CSV and as one self-contained HTML file with plots."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from textanchor.bench.board import Board, Line, table
from textanchor.files import write_bytes, write_csv
from textanchor.pages import as_svg, columns, figure, label, rendered

SHOWN = 30  # methods in a plot


def write_board(board: Board) -> None:
    """`board.csv` and `board.html` in the bench's folder; the page refers to nothing outside it."""
    rows, tested = table(board.validation), table(board.test)
    names = columns(rows)
    write_csv(board.folder / "board.csv", [names, *([row.get(name) for name in names] for row in rows)])
    html = rendered(
        "textanchor.bench",
        "board.html.jinja",
        board=board,
        tables=[("Validation", names, rows), ("Test", columns(tested), tested)],
        differences=[
            (side, line.name, {way: one.row() for way, one in line.against.items()})
            for side, lines in (("test", board.test), ("validation", board.validation))
            for line in lines
            if line.against
        ],
        plots=[Markup(_scores(board.validation)), Markup(_costs(board.validation))],
    )
    write_bytes(board.folder / "board.html", html)


def _scores(lines: Sequence[Line]) -> str:
    """Validation score of every method, with one standard deviation over seeds."""
    shown = list(reversed(lines[:SHOWN]))
    drawn, axes = figure(0.32 * len(shown) + 1.2)
    axes.barh(
        range(len(shown)),
        [line.figures["score"] for line in shown],
        xerr=[line.spreads.get("score", 0.0) for line in shown],
        color="#4c78a8",
        height=0.7,
    )
    axes.set_yticks(range(len(shown)), [label(line.name) for line in shown], fontsize=8)
    axes.set_xlabel("validation score (mean of item→text MRR and text→item mAP@10)")
    return as_svg(drawn)


def _costs(lines: Sequence[Line]) -> str:
    """Score against seconds a fit."""
    drawn, axes = figure(4.2)
    axes.scatter([line.seconds for line in lines], [line.figures["score"] for line in lines], color="#4c78a8")
    for line in lines[:10]:
        place = (line.seconds, line.figures["score"])
        axes.annotate(label(line.name), place, fontsize=7, xytext=(4, 3), textcoords="offset points")
    axes.set(xscale="log", xlabel="seconds a fit", ylabel="validation score")
    return as_svg(drawn)
