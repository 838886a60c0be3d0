"""Labels out of a project and into one: tables, a folder a class, Label Studio."""

from textanchor.labelling.formats.exporting import FORMATS, export, format_of
from textanchor.labelling.formats.importing import bring_in

__all__ = ["FORMATS", "bring_in", "export", "format_of"]
