"""Labels out of a project and into one: tables, a folder a class, Label Studio."""

from textanchor.labelling.formats.exporting import FORMATS, ExportedLabels, export_labels, format_of
from textanchor.labelling.formats.importing import ImportedLabels, import_labels

__all__ = ["FORMATS", "ExportedLabels", "ImportedLabels", "export_labels", "format_of", "import_labels"]
