"""Collections: items that somebody wants to search, encoded or embedded in bounded memory, kept, indexed and searched."""

from textanchor.collections.asking.composing import Part
from textanchor.collections.asking.explaining import Absence
from textanchor.collections.backends import Backend, make_backend
from textanchor.collections.embedding import embed_collection
from textanchor.collections.encoding import encode_collection
from textanchor.collections.explaining import Explanation, absence, explain
from textanchor.collections.index import Index, build_index
from textanchor.collections.queries import Query
from textanchor.collections.recall import RecallCard, RecallRow, recall_card
from textanchor.collections.searching import search
from textanchor.collections.storing.collection import Collection
from textanchor.collections.storing.syncing import SyncReport
from textanchor.collections.storing.verifying import Damage
from textanchor.collections.surveying import Survey, survey
from textanchor.collections.tally import Tally
from textanchor.collections.terms import Terms

__all__ = [
    "Absence", "Backend", "Collection", "Damage", "Explanation", "Index", "Part", "Query", "RecallCard", "RecallRow",
    "Survey", "SyncReport", "Tally", "Terms", "absence", "build_index", "embed_collection", "encode_collection", "explain",
    "make_backend", "recall_card", "search", "survey",
]  # fmt: skip
