"""What every page stands on: HTML from templates, tables, plots and media, all inside one file."""

from textanchor.pages.media import Album, Media, shown
from textanchor.pages.plots import as_svg, figure, label
from textanchor.pages.rendering import rendered, score
from textanchor.pages.tables import cell, columns

__all__ = ["Album", "Media", "as_svg", "cell", "columns", "figure", "label", "rendered", "score", "shown"]
