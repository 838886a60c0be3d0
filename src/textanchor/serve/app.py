"""The application: routes, and around them what every request goes through first."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic_core import to_json
from starlette.exceptions import HTTPException

from textanchor.config import installed
from textanchor.serve import metrics, searching
from textanchor.serve.admission import TICKET, Ticket
from textanchor.serve.bodies import Bodies
from textanchor.serve.describing import extra, responses
from textanchor.serve.embeddings import embeddings
from textanchor.serve.gate import Gate
from textanchor.serve.health import canary
from textanchor.serve.page import POLICY, page
from textanchor.serve.parsing import check_type
from textanchor.serve.refusal import App, Refusal
from textanchor.serve.service import Service
from textanchor.serve.watch import Watch

ABOUT = "Texts, images, sounds and what else a space knows as vectors of one space, and search among them."


def application(service: Service) -> App:
    """An ASGI application that answers for a service."""
    routes = _routes(service)
    bounded = Bodies(routes, service.settings.bounds, service.admission)
    return Watch(Gate(bounded, service.settings.access, service.lifecycle), service.metrics, service.lifecycle)


def _routes(service: Service) -> FastAPI:
    app = FastAPI(
        title="textanchor",
        version=installed("textanchor") or "0",
        description=ABOUT,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    app.add_exception_handler(Refusal, _refused)
    app.add_exception_handler(HTTPException, _no_route)
    app.add_exception_handler(RequestValidationError, _no_route)
    _answering(app, service)
    _telling(app, service)
    app.openapi_schema = _document(app)
    service.metrics.know([route.path for route in app.routes if hasattr(route, "path")])
    return app


def _answering(app: FastAPI, service: Service) -> None:
    """What a space can do."""

    @app.post("/v1/embeddings", **_told("/v1/embeddings", service))
    async def embed(request: Request) -> Response:
        """Vectors of texts or files."""
        return _json(await embeddings(service, *await _posted(request)))

    @app.post("/v1/search", **_told("/v1/search", service))
    async def search(request: Request) -> Response:
        """The nearest items of a collection."""
        return _json(await searching.found(service, *await _posted(request)))

    @app.get("/v1/collections", **_told("/v1/collections", service))
    async def collections() -> Response:
        """The collections."""
        return _json(searching.collections(service))

    @app.get("/v1/models", **_told("/v1/models", service))
    async def models() -> Response:
        """The one model."""
        model = {"object": "model", "id": service.name, "created": 0, "owned_by": "textanchor"}
        return _json(to_json({"object": "list", "data": [model]}))


def _telling(app: FastAPI, service: Service) -> None:
    """What the server says of itself."""
    bird = canary(service)

    @app.get("/healthz", **_told("/healthz", service))
    async def healthz() -> Response:
        """Alive; needs no token."""
        return _json(b'{"status":"ok"}')

    @app.get("/readyz", **_told("/readyz", service))
    async def readyz() -> Response:
        """Encodes a text and compares its vector with that at the start."""
        await bird.sings()
        return _json(b'{"status":"ok"}')

    @app.get("/metrics", **_told("/metrics", service))
    async def measured() -> Response:
        """Counts and times for Prometheus."""
        return Response(service.metrics.text(), headers={"content-type": metrics.CONTENT_TYPE})

    @app.get("/openapi.json", **_told("/openapi.json", service))
    async def document() -> Response:
        """This document."""
        return _json(to_json(app.openapi_schema))

    @app.get("/docs", **_told("/docs", service))
    async def docs() -> Response:
        """It as a page."""
        told = app.openapi_schema or {}
        return Response(page(told), media_type="text/html", headers={"content-security-policy": POLICY})


def _told(path: str, service: Service) -> Any:
    """Settings of a route that describe it."""
    return {"responses": responses(path), "openapi_extra": extra(path, service), "response_class": Response}


async def _posted(request: Request) -> tuple[bytes, Ticket]:
    """The body, which must be JSON, and what its memory is counted on."""
    check_type(request.headers.get("content-type", ""))
    return await request.body(), request.scope[TICKET]


def _json(raw: bytes) -> Response:
    return Response(raw, media_type="application/json")


async def _refused(_request: Request, why: Exception) -> Response:
    assert isinstance(why, Refusal)
    response = Response(why.body, status_code=why.status)
    response.raw_headers = why.headers
    return response


async def _no_route(_request: Request, why: Exception) -> Response:
    """404 and 405 in the shape of all errors."""
    status = why.status_code if isinstance(why, HTTPException) else 400
    message = {404: "no such path; see /docs", 405: "this path does not take that method"}.get(status, "bad request")
    refusal = Refusal(status, message, code={404: "not_found", 405: "method_not_allowed"}.get(status, "bad_request"))
    response = await _refused(_request, refusal)
    for name, value in (getattr(why, "headers", None) or {}).items():  # which methods a path takes
        response.headers[name] = value
    return response


def _document(app: FastAPI) -> dict[str, Any]:
    document = app.openapi()
    document.setdefault("components", {})["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
    return document
