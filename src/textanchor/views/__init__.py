"""Views: how vectors are mapped before the cosine is taken, and how hubs are held down."""

from textanchor.views.comparing import (
    as_item,
    as_peer,
    as_query,
    as_text,
    cosines,
    item_gallery,
    naming,
    text_gallery,
    unit,
)  # fmt: skip
from textanchor.views.making import view, with_hubness

__all__ = [
    "as_item", "as_peer", "as_query", "as_text", "cosines", "item_gallery", "naming", "text_gallery", "unit", "view",
    "with_hubness",
]  # fmt: skip
