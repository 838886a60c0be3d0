"""Tables row by row: formats, what columns and cells mean, where the files are that they name."""

from textanchor.data.tables.formats import ENDINGS, MORE, Heading, heading, is_table, may_be_headless, may_be_table, rows, stem

__all__ = ["ENDINGS", "MORE", "Heading", "heading", "is_table", "may_be_headless", "may_be_table", "rows", "stem"]
