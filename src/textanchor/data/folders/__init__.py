"""Folders of files: which text a file has, and what its folders mean."""

from textanchor.data.folders.folder_rows import FolderRows, walk

__all__ = ["FolderRows", "walk"]
