"""`POST /v1/search` and what there is to search."""

from __future__ import annotations

import asyncio

from pydantic_core import to_json

from textanchor.collections import Terms
from textanchor.errors import InputError
from textanchor.records import Hit
from textanchor.serve.admission import Ticket
from textanchor.serve.parsing import read
from textanchor.serve.refusal import Refusal, quoted
from textanchor.serve.requests import SearchRequest
from textanchor.serve.service import Service
from textanchor.serve.shelves import Shelf


async def found(service: Service, raw: bytes, ticket: Ticket) -> bytes:
    """The answer's JSON. Raises `Refusal` for a request that is wrong or a query that cannot be embedded."""
    asked = read(raw, SearchRequest, values=0)
    most = service.settings.bounds.hits
    for name, value in (("k", asked.k), ("offset", asked.offset)):
        if value > most:
            raise Refusal(400, f"{name}={value:,}: at most {most:,} hits", code="too_many_hits", param=name)
    terms = _terms(asked)
    shelf = named(service, asked.collection)
    query_modality = service.inputs.modality(asked.query_modality, [asked.query], "query_modality")
    if asked.modality is not None and asked.modality not in shelf.counts:
        there = ", ".join(shelf.counts)
        told = f"the collection holds no {quoted(asked.modality)}; it holds: {there}"
        raise Refusal(404, told, code="unknown_modality", param="modality")
    (outcome,) = await service.embedded((asked.query,), query_modality, ticket)
    if isinstance(outcome, str):
        raise Refusal(400, f"query: {outcome}", code="bad_item", param="query")
    try:
        hits = await asyncio.to_thread(shelf.nearest, outcome.vector, query_modality, terms)
    except InputError as why:
        raise Refusal(400, str(why), code="invalid_request") from None
    answer = {
        "object": "list",
        "collection": shelf.name,
        "data": [_described(hit, shelf) for hit in hits],
        "total": hits.total,
        "line": hits.line,
        "level": hits.level,
        "at_least": hits.at_least,
    }
    return to_json(answer, inf_nan_mode="null")  # a field of a table may be NaN


def _terms(asked: SearchRequest) -> Terms:
    """What is asked of hits. Raises `Refusal` for a filter that cannot be read, or asks where the server keeps its files."""
    told = {name: getattr(asked, name) for name in ("k", "offset", "modality", "where", "threshold", "level", "collapse")}
    try:
        terms = Terms(**told)
    except InputError as why:
        raise Refusal(400, str(why), code="bad_filter", param="where") from None
    if terms.filter is not None and "path" in terms.filter.names:
        raise Refusal(400, "paths are the server's own business; filter by id or fields", code="bad_filter", param="where")
    return terms


def named(service: Service, name: str | None) -> Shelf:
    """The collection of that name, or the only one. Raises `Refusal` (404, 400)."""
    shelves = service.shelves
    if name is None and len(shelves) == 1:
        return next(iter(shelves.values()))
    if name is None:
        known = ", ".join(shelves) or "none"
        raise Refusal(400, f"name a collection; there are: {known}", code="collection_needed", param="collection")
    if name not in shelves:  # a key of a dictionary, and never a path
        raise Refusal(
            404, f"no collection {quoted(name)}; see /v1/collections", code="collection_not_found", param="collection"
        )
    return shelves[name]


def collections(service: Service) -> bytes:
    """All collections with their items by modality, as JSON."""
    data = [{"object": "collection", "id": shelf.name, "items": shelf.counts} for shelf in service.shelves.values()]
    return to_json({"object": "list", "data": data})


def _described(hit: Hit, shelf: Shelf) -> dict[str, object]:
    """A hit without the place of its file."""
    told = {name: getattr(hit, name) for name in ("rank", "modality", "score", "p", "percentile", "above")}
    duplicates = [shelf.public_id(name) for name in hit.duplicates]
    return {**told, "id": shelf.public_id(hit.id), "fields": dict(hit.fields), "duplicates": duplicates}
