"""The OpenAPI document, made from the records that requests are read into."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from textanchor.serve.parsing import schema_of
from textanchor.serve.requests import EmbeddingsRequest, SearchRequest
from textanchor.serve.service import Service

_STRING, _NUMBER, _COUNT = {"type": "string"}, {"type": "number"}, {"type": "integer"}
_NULLABLE = {"anyOf": [_STRING, {"type": "null"}]}
_REASONS = {
    400: "Not what was expected; `error.message` says what was.",
    401: "No token, or one that is not known.",
    403: "A page of another site asks.",
    404: "No such model or collection.",
    408: "The body comes too slowly.",
    413: "The body is too large.",
    415: "Not JSON in UTF-8, or compressed.",
    421: "The server does not go by that Host.",
    429: "Too many requests of one token; see Retry-After.",
    500: "The server failed.",
    503: "Too much to do, or stopping; see Retry-After.",
    504: "Not answered in time.",
}
_ALWAYS = (401, 403, 421, 500, 503, 504)
_POSTED = (400, 404, 408, 413, 415, 429)


def _object(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "required": [*properties], "properties": properties}


def _list(of: Any) -> dict[str, Any]:
    return {"type": "array", "items": of}


ERROR = _object(error=_object(message=_STRING, type=_STRING, param=_NULLABLE, code=_NULLABLE))
_VECTOR = {"anyOf": [_list(_NUMBER), _STRING]}
_EMBEDDING = _object(object={"const": "embedding"}, index=_COUNT, embedding=_VECTOR)
_MAYBE = {"anyOf": [_NUMBER, {"type": "null"}]}
_HIT = _object(
    rank=_COUNT,
    id=_STRING,
    modality=_STRING,
    score=_NUMBER,
    p=_MAYBE,
    percentile=_MAYBE,
    above={"anyOf": [{"type": "boolean"}, {"type": "null"}]},
    fields={"type": "object"},
)
_FOUND = _object(
    object={"const": "list"},
    collection=_STRING,
    data=_list(_HIT),
    total=_COUNT,
    line={"anyOf": [_COUNT, {"type": "null"}], "description": "So many of all hits stand above the line."},
    level=_NUMBER,
)
_EMBEDDINGS = _object(
    object={"const": "list"},
    model=_STRING,
    data=_list(_EMBEDDING),
    usage=_object(prompt_tokens=_COUNT, total_tokens=_COUNT),
)
_EMBEDDINGS["properties"]["errors"] = _list(_object(index=_COUNT, message=_STRING))
_OK = _object(status={"const": "ok"})
_MODELS = _list(_object(object={"const": "model"}, id=_STRING, created=_COUNT, owned_by=_STRING))
ANSWERS = {
    "/v1/embeddings": _EMBEDDINGS,
    "/v1/search": _FOUND,
    "/v1/collections": _object(
        object={"const": "list"},
        data=_list(
            _object(object={"const": "collection"}, id=_STRING, items={"type": "object", "additionalProperties": _COUNT})
        ),
    ),
    "/v1/models": _object(object={"const": "list"}, data=_MODELS),
    "/healthz": _OK,
    "/readyz": _OK,
}
REQUESTS: Mapping[str, Any] = {"/v1/embeddings": EmbeddingsRequest, "/v1/search": SearchRequest}
TEXTS = {"/metrics": "text/plain", "/docs": "text/html"}
OPEN = "/healthz"


def responses(path: str) -> Any:
    """What FastAPI is told of a route's answers."""
    media = TEXTS.get(path, "application/json")
    found: dict[int | str, dict[str, Any]] = {
        200: {"description": "Done.", "content": {media: {"schema": ANSWERS.get(path, _STRING if path in TEXTS else {})}}}
    }
    statuses = (500,) if path == OPEN else (*_ALWAYS, *(_POSTED if path in REQUESTS else (400,)))
    for status in sorted(statuses):
        found[status] = {"description": _REASONS[status], "content": {"application/json": {"schema": ERROR}}}
    return found


def extra(path: str, service: Service) -> Any:
    """A route's body and its security."""
    told: dict[str, Any] = {"security": [] if path == OPEN else [{"token": []}]}
    if path in REQUESTS:
        schema = _with_names(schema_of(REQUESTS[path]), service)
        told["requestBody"] = {"required": True, "content": {"application/json": {"schema": schema}}}
    return told


def _with_names(schema: Any, service: Service) -> Any:
    """The names and bounds of this very server."""
    bounds = service.settings.bounds
    names = {
        "model": [service.name],
        "modality": [*service.inputs.modalities],
        "query_modality": [*service.inputs.modalities],
        "collection": [*service.shelves],
    }
    fields = schema["properties"]
    for name in names.keys() & fields.keys():
        fields[name]["anyOf"] = [*([{"type": "string", "enum": names[name]}] if names[name] else []), {"type": "null"}]
    if "k" in fields:
        fields["k"] |= {"minimum": 1, "maximum": bounds.hits}
        fields["offset"] |= {"minimum": 0, "maximum": bounds.hits}
    if "input" in fields:
        fields["input"]["anyOf"][1]["maxItems"] = bounds.items
        fields["dimensions"]["anyOf"] = [{"const": service.space.dim}, {"type": "null"}]
    return schema
