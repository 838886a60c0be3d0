"""Search: queries of any modality, hits of any or of one, and a line below which hits are mostly chance."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Unpack, overload

from textanchor.collections.index import EXACT, Index, build_index
from textanchor.collections.listing import found
from textanchor.collections.queries import asked
from textanchor.collections.storing.collection import Collection
from textanchor.collections.storing.schema import NAME
from textanchor.collections.storing.snapshot import OutdatedError
from textanchor.collections.terms import NAMES, SimpleTerms, Terms, settled_terms
from textanchor.collections.vector_tables import is_vector_table, read_vectors
from textanchor.errors import InputError
from textanchor.files import located
from textanchor.records import Hits
from textanchor.runtime import Reading, Runtime, settled
from textanchor.space import TEXT, Space

TRIES = 10  # a search that a change overtakes begins anew


@overload
def search(
    space: Space,
    query: list[Any],
    collection: object,
    *,
    query_modality: str | None = None,
    backend: str = "",
    terms: Terms | None = None,
    runtime: Runtime | None = None,
    **simple: Unpack[SimpleTerms],
) -> list[Hits]: ...


@overload
def search(
    space: Space,
    query: Any,
    collection: object,
    *,
    query_modality: str | None = None,
    backend: str = "",
    terms: Terms | None = None,
    runtime: Runtime | None = None,
    **simple: Unpack[SimpleTerms],
) -> Hits: ...


def search(
    space: Space,
    query: Any,
    collection: object,
    *,
    query_modality: str | None = None,
    backend: str = "",
    terms: Terms | None = None,
    runtime: Runtime | None = None,
    **simple: Unpack[SimpleTerms],
) -> Hits | list[Hits]:
    """The items of a collection nearest to a query, best first, of one modality or of any; of several queries a list each.

    `query` is whatever `Space.embed` takes: a str is a sentence, a `Path` a file; or a `Query` of several parts, some of which
    may be unwanted. A list holds several queries. An array of floats as long as the space's vectors, [d] or [q, d], is one or
    several raw vectors of `query_modality` (default: text).
    `collection` is a `Collection`, a folder, a table, an archive, vectors that `embed` wrote, a data frame, a sequence of
    items, or an `Index` to be searched again and again; with `modality="text"` the texts of a table are the hits. `backend`
    searches. What is asked of hits stands in the record `terms` (see `Terms`), or in keywords: `k`, `offset`, `modality`,
    `where`, `threshold`, `level`, `collapse`, `order`, `allowed`.

    Where validation pairs were kept, each hit has a p-value: how often a query and an item that do not belong together score
    as high. A list of several modalities is ordered by it, and `Hits.line` says how many hits stand above the line; if none
    does, nothing relevant was found. That holds on average for queries and items like those of the validation pairs.
    Raises `InputError` for a modality that is not in the space or the collection, and what `build_index` raises.
    """
    told = settled_terms(terms, simple)
    how = settled(runtime or space.runtime, {name: value for name, value in simple.items() if name not in NAMES})
    if told.modality is not None and told.modality not in (TEXT, *space.kinds):
        raise InputError(f"the space has no modality '{told.modality}' (it has: {', '.join((TEXT, *space.kinds))})")
    index = indexed(space, collection, backend=backend, modality=told.modality, runtime=how)
    queries, one = asked(space, query, query_modality, how)
    for _ in range(TRIES):
        if told.modality is not None and told.modality not in index.modalities:
            raise InputError(f"the collection holds no {told.modality} (it holds: {', '.join(index.modalities)})")
        try:
            hits = found(index, queries, told)
        except OutdatedError:
            if isinstance(collection, Index):
                raise
            index = indexed(space, collection, backend=backend, modality=told.modality, runtime=how)
        else:
            return hits[0] if one else hits
    raise InputError("the collection was changed again and again while it was searched; try once more")


def indexed(
    space: Space,
    collection: object,
    *,
    backend: str = "",
    modality: str | None = None,
    reading: Reading | None = None,
    runtime: Runtime | None = None,
) -> Index:
    """Whatever may be searched, as an index. Raises what `build_index` and `Collection.index` raise."""
    if isinstance(collection, Index):
        return collection
    if isinstance(collection, Collection):
        return collection.index(space, backend)
    if isinstance(collection, str | Path) and (located(collection) / NAME).is_file():
        return Collection(collection).index(space, backend)
    if isinstance(collection, str | Path) and is_vector_table(located(collection)):
        return Index(geometry=space.geometry, holding=read_vectors(space, located(collection)), backend=backend or EXACT)
    return build_index(
        space,
        collection,
        texts=modality == TEXT,
        modality=modality,
        backend=backend or EXACT,
        reading=reading,
        runtime=runtime,
    )
