"""What an index keeps vectors in: one file a backend, each behind the same protocol."""

from textanchor.collections.backends.protocol import NONE, Backend, Found, Rows, Sized, make_backend
from textanchor.collections.backends.urls import without_password

__all__ = ["NONE", "Backend", "Found", "Rows", "Sized", "make_backend", "without_password"]
