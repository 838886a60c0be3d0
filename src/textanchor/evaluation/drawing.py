"""Plots as SVG."""

from __future__ import annotations

import io
from collections import Counter
from typing import Any

from textanchor.evaluation.map import Map

SHOWN = 20
MARKERS = "os^DvP*Xh<>p"
REST = "#9a9a9a"


def svg(drawn: Map) -> str:
    """A scatter plot, coloured by text and marked by modality; texts beyond the twenty most frequent are grey."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    colours = mpl.colormaps["tab20"](range(SHOWN))
    common = [label for label, _ in Counter(drawn.labels).most_common(SHOWN)]
    colour = {label: mpl.colors.to_hex(colours[row % len(colours)]) for row, label in enumerate(sorted(common))}
    kinds = list(dict.fromkeys(drawn.modalities))
    figure = Figure(figsize=(9, 6.2), layout="constrained")
    axes = figure.add_subplot()
    for kind, marker in zip(kinds, MARKERS * len(kinds), strict=False):
        rows = [row for row, held in enumerate(drawn.modalities) if held == kind]
        axes.scatter(
            drawn.points[rows, 0],
            drawn.points[rows, 1],
            c=[colour.get(drawn.labels[row], REST) for row in rows],
            marker=marker,
            s=16,
            linewidths=0.3,
            edgecolors="#333333",
            rasterized=len(rows) > 2000,
        )
        axes.scatter([], [], marker=marker, c="#555555", label=kind.replace("$", r"\$"))
    for label, value in colour.items():
        axes.scatter([], [], marker="o", c=value, label=label[:30].replace("$", r"\$"))
    axes.set(xticks=[], yticks=[])
    axes.legend(loc="center left", bbox_to_anchor=(1, 0.5), frameon=False, fontsize=9)
    return as_svg(figure)


def as_svg(figure: Any) -> str:
    """A matplotlib figure as SVG for a page: no date, the same bytes each time, text as text."""
    import matplotlib as mpl

    out = io.StringIO()
    figure.patch.set_alpha(0)
    with mpl.rc_context({"svg.hashsalt": "textanchor", "svg.fonttype": "none", "font.family": "sans-serif"}):
        figure.savefig(out, format="svg", metadata={"Date": None, "Creator": None})
    text = out.getvalue()
    return text[text.index("<svg") :]
