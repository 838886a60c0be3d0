"""What every page stands on: HTML from templates, tables, plots and media, all inside one file."""

from textanchor.pages.media import shown
from textanchor.pages.plots import as_svg, figure, label
from textanchor.pages.rendering import rendered
from textanchor.pages.tables import cell, columns

__all__ = ["as_svg", "cell", "columns", "figure", "label", "rendered", "shown"]
