"""The application: Gradio's page, the studio's own routes, and the door before both."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from textanchor.errors import MissingError
from textanchor.serve.refusal import App, Refusal
from textanchor.studio.door import Door, Gate
from textanchor.studio.opened import Opened

OFF = {"GRADIO_ANALYTICS_ENABLED": "False", "HF_HUB_DISABLE_TELEMETRY": "1", "GRADIO_SSR_MODE": "False"}


def check_installed() -> None:
    """Raises `MissingError` without the extra."""
    try:
        import fastapi  # noqa: F401
        import uvicorn  # noqa: F401

        _gradio()
    except ImportError as why:
        raise MissingError(f"the studio needs {why.name}; install it: pip install 'textanchor[studio]'") from None


def application(opened: Opened, door: Door) -> App:
    """An ASGI application."""
    gradio = _gradio(door.uploads)
    from fastapi import FastAPI

    from textanchor.studio.label_routes import label_routes
    from textanchor.studio.map.laying import Layouts
    from textanchor.studio.map_routes import map_routes
    from textanchor.studio.media_routes import media_routes
    from textanchor.studio.page_routes import page_routes
    from textanchor.studio.tabs.frame import HEAD, frame
    from textanchor.studio.tabs.theme import theme

    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
    app.add_exception_handler(Refusal, _refused)
    app.include_router(media_routes(opened.sources, opened.limits))
    app.include_router(map_routes(opened, Layouts()))
    app.include_router(label_routes(opened))
    app.include_router(page_routes(opened))
    page = _in_a_loop(
        lambda: _mounted(gradio, app, frame(opened, door.uploads), theme=theme(), head=HEAD, max_file_size=door.file)
    )
    page.has_launched = True  # else a mounted page reads, and copies, whatever file a request names
    return Gate(app, door, opened.endings)


def _mounted(gradio: Any, app: Any, page: Any, **told: Any) -> Any:
    """The page at the root of the application; nothing of Gradio's that calls, records or links elsewhere."""
    off = {"ssr_mode": False, "pwa": False, "run_history": False, "enable_monitoring": False, "mcp_server": False}
    gradio.mount_gradio_app(app, page, path="/", footer_links=[], show_error=False, **off, **told)
    return page


def _in_a_loop(make: Callable[[], Any]) -> Any:
    """What it makes, within an event loop that is closed: without one Gradio begins loops and leaves them open."""

    async def made() -> Any:
        return make()

    with ThreadPoolExecutor(1) as apart:  # the caller may have a loop of its own
        return apart.submit(lambda: asyncio.run(made())).result()


def _gradio(uploads: Path | None = None) -> Any:
    """Gradio, told before it is imported that it must not call home, and where files that are sent may lie."""
    os.environ.update(OFF)
    if uploads is not None:
        os.environ["GRADIO_TEMP_DIR"] = str(uploads)
    import gradio

    return gradio


async def _refused(_request: Any, why: Exception) -> Any:
    from fastapi import Response

    assert isinstance(why, Refusal)
    response = Response(why.body, status_code=why.status)
    response.raw_headers = [header for header in why.headers if header[0] != b"referrer-policy"]
    return response
