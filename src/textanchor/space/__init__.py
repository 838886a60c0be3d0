"""The space: one anchor, a side for each modality, and how it came about."""

from textanchor.space.fitted import Fitted
from textanchor.space.geometry import Comparison, Geometry
from textanchor.space.items import TEXT, as_items, single
from textanchor.space.seen import Seen
from textanchor.space.space import Space
from textanchor.space.story import Story

__all__ = ["TEXT", "Comparison", "Fitted", "Geometry", "Seen", "Space", "Story", "as_items", "single"]
