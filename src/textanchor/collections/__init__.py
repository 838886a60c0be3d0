"""Collections: tables and folders of items, encoded or embedded in bounded memory, indexed and searched."""

from textanchor.collections.backends import Backend, make_backend
from textanchor.collections.embedding import embed_collection
from textanchor.collections.encoding import encode_collection
from textanchor.collections.index import Index, build_index
from textanchor.collections.searching import search
from textanchor.collections.surveying import Survey, survey
from textanchor.collections.tally import Tally

__all__ = [
    "Backend", "Index", "Survey", "Tally", "build_index", "embed_collection", "encode_collection", "make_backend",
    "search", "survey",
]  # fmt: skip
