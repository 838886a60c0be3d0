"""The server attacks itself, over its own socket, and says what each attack came to."""

from textanchor.serve.selftest.running import attacked
from textanchor.serve.selftest.table import Line, written

__all__ = ["Line", "attacked", "written"]
