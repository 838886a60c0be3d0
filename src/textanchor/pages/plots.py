"""Plots as SVG that stands in a page."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDTH = 9.0  # inches


def figure(height: float) -> tuple[Figure, Axes]:
    """An empty plot of a page's width; `height` in inches."""
    from matplotlib.figure import Figure

    drawn = Figure(figsize=(WIDTH, height), layout="constrained")
    return drawn, drawn.add_subplot()


def label(text: str, *, longest: int = 60, mark: str = "...") -> str:
    """Text that is drawn as it is, cut where it is long: a dollar sign would begin a formula."""
    short = text if len(text) <= longest else f"{text[: longest - len(mark)]}{mark}"
    return short.replace("$", r"\$")


def as_svg(drawn: Figure) -> str:
    """A figure as SVG: no date, the same bytes each time, text as text."""
    import matplotlib as mpl

    out = io.StringIO()
    drawn.patch.set_alpha(0)
    with mpl.rc_context({"svg.hashsalt": "textanchor", "svg.fonttype": "none", "font.family": "sans-serif"}):
        drawn.savefig(out, format="svg", metadata={"Date": None, "Creator": None})
    text = out.getvalue()
    return text[text.index("<svg") :]
