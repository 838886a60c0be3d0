"""The bench: many ways of fitting on the same cached latents, one row a run, chosen on validation, test read by request."""

from textanchor.bench.board import Board, Line
from textanchor.bench.comparing import compare, gathered
from textanchor.bench.plan import Grid

__all__ = ["Board", "Grid", "Line", "compare", "gathered"]
