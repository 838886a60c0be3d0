"""What may be asked, as records; the OpenAPI document is made from them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, ConfigDict, Field, WithJsonSchema

CLOSED = ConfigDict(extra="forbid")
_STRING = {"type": "string", "minLength": 1, "pattern": r"\S"}


def _inputs(given: Any) -> Any:
    """A string or a list of strings as a tuple. Raises `ValueError` that says what was given instead."""
    one = [given] if isinstance(given, str) else given
    if not isinstance(one, list):
        raise ValueError(f"expected a string or a list of strings, not {_kind(given)}")
    for row, value in enumerate(one):
        if isinstance(value, int | list) and not isinstance(value, bool):
            raise ValueError(f"item {row} is {_kind(value)}: tokens are not taken, send texts")
        if not isinstance(value, str):
            raise ValueError(f"item {row} is {_kind(value)}, not a string")
    if not one:
        raise ValueError("the list is empty")
    return tuple(one)


def _whole(given: Any) -> Any:
    """To JSON 2.0 is a whole number too."""
    return int(given) if isinstance(given, float) and given.is_integer() else given


def _kind(value: object) -> str:
    names = {bool: "true or false", int: "a number", float: "a number", list: "a list", dict: "an object", str: "a string"}
    return names.get(type(value), "null")


Whole = Annotated[int, BeforeValidator(_whole), Field(strict=True)]
Inputs = Annotated[
    tuple[str, ...],
    BeforeValidator(_inputs),
    WithJsonSchema(
        {
            "anyOf": [_STRING, {"type": "array", "items": _STRING, "minItems": 1}],
            "description": "Texts; files as data URIs (`data:image/png;base64,...`), or as URLs where the server allows them.",
        }
    ),
]


@dataclass(frozen=True, kw_only=True)
class EmbeddingsRequest:
    """`POST /v1/embeddings`, as OpenAI has it, with `modality` and `on_error` added."""

    __pydantic_config__: ClassVar[ConfigDict] = CLOSED

    input: Inputs
    model: Annotated[str | None, Field(max_length=200, description="The server's one model; see /v1/models.")] = None
    encoding_format: Annotated[
        Literal["float", "base64"], Field(description="base64: little-endian 32-bit floats, a third of the size.")
    ] = "float"
    dimensions: Annotated[Whole | None, Field(ge=1, le=1 << 20, description="Only the space's own length.")] = None
    user: Annotated[str | None, Field(max_length=1000, description="Taken and not looked at.")] = None
    modality: Annotated[
        str | None, Field(max_length=100, description="What the inputs are; text unless said, and then no data URIs.")
    ] = None
    on_error: Annotated[
        Literal["fail", "partial"],
        Field(description="fail: an item that cannot be embedded refuses the request. partial: it is listed in `errors`."),
    ] = "fail"


@dataclass(frozen=True, kw_only=True)
class SearchRequest:
    """`POST /v1/search`: the items of a collection that are nearest to a query."""

    __pydantic_config__: ClassVar[ConfigDict] = CLOSED

    query: Annotated[str, Field(min_length=1, pattern=r"\S", description="A text, or a file as a data URI.")]
    collection: Annotated[str | None, Field(max_length=200, description="Its name; may be left out where there is one.")] = None
    k: Annotated[Whole, Field(ge=1, description="The most hits.")] = 10
    modality: Annotated[str | None, Field(max_length=100, description="Only hits of this modality.")] = None
    query_modality: Annotated[str | None, Field(max_length=100, description="What the query is; text unless said.")] = None
    offset: Annotated[Whole, Field(ge=0, description="Hits to pass over.")] = 0
    where: Annotated[str | None, Field(max_length=2000, description="Only items that pass, such as `year >= 2020`.")] = None
    threshold: Annotated[float | None, Field(allow_inf_nan=False, description="Only hits of at least this score.")] = None
    level: Annotated[float, Field(gt=0, lt=1, description="Share of chance hits that is accepted above the line.")] = 0.1
    collapse: Annotated[float | None, Field(gt=0, le=1, description="Cosine from which hits are shown once.")] = None
