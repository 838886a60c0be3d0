"""Collections: items that somebody wants to search, encoded or embedded in bounded memory, kept, indexed and searched."""

from textanchor.collections.asking.composing import Part
from textanchor.collections.backends import Backend, make_backend
from textanchor.collections.embedding import embed_collection
from textanchor.collections.encoding import encode_collection
from textanchor.collections.index import Index, build_index
from textanchor.collections.queries import Query
from textanchor.collections.searching import search
from textanchor.collections.storing.collection import Collection
from textanchor.collections.storing.syncing import SyncReport
from textanchor.collections.storing.verifying import Damage
from textanchor.collections.surveying import Survey, survey
from textanchor.collections.tally import Tally
from textanchor.collections.terms import Terms

__all__ = [
    "Backend", "Collection", "Damage", "Index", "Part", "Query", "Survey", "SyncReport", "Tally", "Terms", "build_index",
    "embed_collection", "encode_collection", "make_backend", "search", "survey",
]  # fmt: skip
