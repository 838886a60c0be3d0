"""Pairs and collections that Python holds: data frames, data sets, lists, dicts, (X, y)."""

from textanchor.data.objects.object_rows import object_rows

__all__ = ["object_rows"]
