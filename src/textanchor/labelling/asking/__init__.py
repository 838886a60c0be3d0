"""Which items to ask a person about next."""

from textanchor.labelling.asking.protocol import Strategy

__all__ = ["Strategy"]
