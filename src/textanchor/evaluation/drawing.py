"""The map as SVG."""

from __future__ import annotations

from collections import Counter

from textanchor.evaluation.map import TextMap
from textanchor.pages import as_svg, figure, label

SHOWN = 20
MARKERS = "os^DvP*Xh<>p"
REST = "#9a9a9a"


def svg(drawn: TextMap) -> str:
    """A scatter plot, coloured by text and marked by modality; texts beyond the twenty most frequent are grey."""
    import matplotlib as mpl

    colours = mpl.colormaps["tab20"](range(SHOWN))
    common = sorted(text for text, _ in Counter(drawn.labels).most_common(SHOWN))
    colour = {text: mpl.colors.to_hex(colours[row % len(colours)]) for row, text in enumerate(common)}
    kinds = list(dict.fromkeys(drawn.modalities))
    plot, axes = figure(6.2)
    for kind, marker in zip(kinds, MARKERS * len(kinds), strict=False):
        rows = [row for row, modality in enumerate(drawn.modalities) if modality == kind]
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
        axes.scatter([], [], marker=marker, c="#555555", label=label(kind))
    for text, value in colour.items():
        axes.scatter([], [], marker="o", c=value, label=label(text, longest=30, mark=""))
    axes.set(xticks=[], yticks=[])
    axes.legend(loc="center left", bbox_to_anchor=(1, 0.5), frameon=False, fontsize=9)
    return as_svg(plot)
