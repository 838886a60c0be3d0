"""What an index keeps vectors in: one file a backend, each behind the same protocol."""

from textanchor.collections.backends.protocol import NONE, Backend, Found, Rows, make_backend

__all__ = ["NONE", "Backend", "Found", "Rows", "make_backend"]
