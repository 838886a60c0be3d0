"""JSON of strangers: scanned before it is parsed, so that neither its depth nor its number of values costs memory."""

from __future__ import annotations

import json
import re
from collections.abc import Hashable
from functools import lru_cache
from typing import Any, TypeVar, cast

from pydantic import TypeAdapter, ValidationError

from textanchor.serve.refusal import Refusal, quoted

DEPTH = 8
SPARE = 256  # values of a request beside its items
_TOKENS = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"|[\[\]{},"]', re.S)  # possessive: linear in time, and no stack
_DEEPER = {b"[": 1, b"{": 1, b"]": -1, b"}": -1}
T = TypeVar("T")


def check_type(content_type: str) -> None:
    """Raises `Refusal` for a body that does not say it is JSON; pages of other sites cannot say so without being asked."""
    kind, *settings = (part.strip().lower() for part in content_type.split(";"))
    charset = next((part.partition("=")[2].strip('"') for part in settings if part.startswith("charset=")), "utf-8")
    if kind != "application/json" or charset not in ("utf-8", "utf8"):
        raise Refusal(415, "the body must be application/json in UTF-8", code="unsupported_type")


def strict_json(raw: bytes, *, values: int) -> Any:
    """What a body holds. Raises `Refusal` (400) for anything but JSON with at most so many values, and for NaN."""
    _scan(raw, values + SPARE)
    try:
        found = json.loads(raw.decode("utf-8"), parse_constant=_no_number, object_pairs_hook=_once)
        if b"\\u" in raw:  # which may stand for half a character
            json.dumps(found, ensure_ascii=False).encode()
        return found
    except (ValueError, RecursionError) as why:
        place = f": {why.msg} at character {why.pos}" if isinstance(why, json.JSONDecodeError) else ""
        told = str(why) if isinstance(why, _Bad) else f"the body is no JSON in UTF-8{place}"
        raise Refusal(400, told, code="invalid_json") from None


def read(raw: bytes, kind: type[T], *, values: int) -> T:
    """A record from a body. Raises `Refusal` (400) naming the field that is wrong."""
    given, known = strict_json(raw, values=values), cast(Hashable, kind)
    try:
        found: T = _adapter(known).validate_python(given)
        return found
    except ValidationError as why:
        first = why.errors(include_url=False, include_input=False, include_context=False)[0]
        field = ".".join(str(part) for part in first["loc"] if not _is_type(part))
        message = first["msg"].removeprefix("Value error, ")
        raise Refusal(
            400, f"{quoted(field)}: {message}" if field else message, code="invalid_request", param=field[:100] or None
        ) from None


@lru_cache
def _adapter(kind: Hashable) -> TypeAdapter[Any]:
    return TypeAdapter(cast(Any, kind))


def schema_of(kind: Hashable) -> Any:
    """The JSON schema of such a record."""
    return _adapter(kind).json_schema()


class _Bad(ValueError):
    """JSON that parses and is not taken."""


def _scan(raw: bytes, most: int) -> None:
    depth = 0
    for count, found in enumerate(_TOKENS.finditer(raw)):
        token = found[0]
        depth += _DEEPER.get(token, 0)
        if token == b'"':
            raise Refusal(400, "the body is no JSON: a string does not end", code="invalid_json")
        if depth > DEPTH or count > 3 * most:  # strings, commas, brackets
            what = f"more than {DEPTH} levels" if depth > DEPTH else f"more than {most:,} values"
            raise Refusal(400, f"the body has {what}", code="invalid_json")


def _no_number(name: str) -> None:
    raise _Bad(f"{name} is no JSON")


def _once(pairs: list[tuple[str, Any]]) -> Any:
    """An object; a key that stands there twice may be read in two ways."""
    made = dict(pairs)
    if len(made) < len(pairs):
        raise _Bad("an object has a key twice")
    return made


def _is_type(part: object) -> bool:
    """Pydantic names the member of a union that it tried."""
    return isinstance(part, str) and "[" in part
