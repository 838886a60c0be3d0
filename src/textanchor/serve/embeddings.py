"""`POST /v1/embeddings`."""

from __future__ import annotations

import base64
from collections.abc import Sequence

import numpy as np
from pydantic_core import to_json

from textanchor.records import Vectors
from textanchor.serve.admission import Ticket
from textanchor.serve.encoding import Encoded, Outcome
from textanchor.serve.parsing import read
from textanchor.serve.refusal import Refusal, quoted
from textanchor.serve.requests import EmbeddingsRequest
from textanchor.serve.service import Service


async def embeddings(service: Service, raw: bytes, ticket: Ticket) -> bytes:
    """The answer's JSON. Raises `Refusal` for a request that is wrong, or for its first bad item unless `partial`."""
    bounds = service.settings.bounds
    asked = read(raw, EmbeddingsRequest, values=bounds.items)
    check(service, asked)
    modality = service.inputs.modality(asked.modality, asked.input)
    outcomes = await service.embedded(asked.input, modality, ticket)
    failed = [(row, outcome) for row, outcome in enumerate(outcomes) if isinstance(outcome, str)]
    if failed and asked.on_error == "fail":
        row, why = failed[0]
        more = f" ({len(failed) - 1} more failed)" if len(failed) > 1 else ""
        raise Refusal(400, f"input {row}: {why}{more}", code="bad_item", param=f"input[{row}]")
    count = sum(outcome.tokens for outcome in outcomes if isinstance(outcome, Encoded))
    told = {
        "object": "list",
        "model": service.name,
        "data": _data(outcomes, asked.encoding_format),
        "usage": {"prompt_tokens": count, "total_tokens": count},
    }
    if asked.on_error == "partial":
        told["errors"] = [{"index": row, "message": why} for row, why in failed]
    return to_json(told)


def check(service: Service, asked: EmbeddingsRequest) -> None:
    """Raises `Refusal` for another model, other dimensions or too many items."""
    most = service.settings.bounds.items
    if asked.model not in (None, service.name):
        raise Refusal(
            404, f"no model {quoted(asked.model)}; this server has '{service.name}'", code="model_not_found", param="model"
        )
    if asked.dimensions not in (None, service.space.dim):
        message = f"vectors of this space have {service.space.dim} numbers and are not shortened"
        raise Refusal(400, message, code="bad_dimensions", param="dimensions")
    if len(asked.input) > most:
        raise Refusal(400, f"{len(asked.input):,} inputs; at most {most:,} a request", code="too_many_items", param="input")


def _data(outcomes: Sequence[Outcome], form: str) -> list[dict[str, object]]:
    return [
        {"object": "embedding", "index": row, "embedding": _written(outcome.vector, form)}
        for row, outcome in enumerate(outcomes)
        if not isinstance(outcome, str)
    ]


def _written(vector: Vectors, form: str) -> list[float] | str:
    """The vector's 32-bit floats, in either form without loss."""
    if form == "base64":
        return base64.b64encode(np.asarray(vector, dtype="<f4").tobytes()).decode()
    numbers: list[float] = vector.tolist()
    return numbers
