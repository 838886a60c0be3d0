"""A server that runs in a thread: started, and stopped without losing a request."""

from __future__ import annotations

import socket
import time
from dataclasses import dataclass, field, replace
from threading import Thread
from typing import TYPE_CHECKING, Any

from textanchor.errors import InputError, MissingError
from textanchor.serve.connections import guarded
from textanchor.serve.settings import Access, Bounds

if TYPE_CHECKING:
    from textanchor.serve.service import Service

CONNECTIONS = 512  # half of the files that a process may commonly open
BACKLOG = 512
HEAD = 16 << 10  # bytes of a request's head
START = 30.0


def check_installed() -> None:
    """Raises `MissingError` without the extra."""
    try:
        import fastapi  # noqa: F401
        import prometheus_client  # noqa: F401
        import uvicorn  # noqa: F401
    except ImportError as why:
        raise MissingError(f"serving needs {why.name}; install it: pip install 'textanchor[serve]'") from None


def listening(access: Access) -> tuple[socket.socket, Access]:
    """A socket, and where it listens: port 0 becomes the one that was free. Raises `InputError` where it cannot."""
    family = socket.AF_INET6 if ":" in access.host else socket.AF_INET
    found = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)  # said, or asyncio leaves Nagle's delay of 40 ms on
    try:
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        found.bind((access.host, access.port))
        found.listen(BACKLOG)
    except (OSError, OverflowError) as why:
        found.close()
        told = getattr(why, "strerror", None) or why
        raise InputError(f"cannot listen on {access.host}, port {access.port}: {told}; choose another --port") from None
    return found, replace(access, port=int(found.getsockname()[1]))


@dataclass(eq=False)
class Threaded:
    """An application on a socket, served by a thread of its own; `lifespan`: it wants to know of its start and end."""

    app: Any
    socket: socket.socket
    bounds: Bounds
    lifespan: bool = False
    _server: Any = field(init=False, default=None)
    _thread: Thread = field(init=False)

    def start(self) -> None:
        """Returns once it answers. Raises `InputError` where it does not."""
        import uvicorn

        protocol: Any = guarded(self.bounds.head, self.bounds.pace)  # a callable does what uvicorn asks of a class
        self._server = uvicorn.Server(
            uvicorn.Config(
                self.app,
                http=protocol,
                ws="none",
                lifespan="on" if self.lifespan else "off",
                loop="asyncio",
                log_config=None,
                access_log=False,
                log_level="error",  # warnings of broken requests would let strangers fill the log
                proxy_headers=False,
                server_header=False,
                limit_concurrency=CONNECTIONS,
                timeout_keep_alive=max(1, round(self.bounds.head)),
                timeout_graceful_shutdown=1,
                h11_max_incomplete_event_size=HEAD,
            )
        )
        self._thread = Thread(target=self._server.run, kwargs={"sockets": [self.socket]}, name="serve", daemon=True)
        self._thread.start()
        end = time.monotonic() + START
        while not self._server.started and self._thread.is_alive() and time.monotonic() < end:
            time.sleep(0.005)
        if not self._server.started:
            raise InputError("the server did not start")

    def stop(self) -> None:
        """Close."""
        self._server.should_exit = True
        self._thread.join(5)
        self.socket.close()


@dataclass(eq=False)
class Running:
    """A service on a socket; `start` returns once it answers, `stop` once it has."""

    service: Service
    socket: socket.socket
    _threaded: Threaded = field(init=False)

    def start(self) -> Running:
        """Serve, in a thread."""
        from textanchor.serve.app import application

        self._threaded = Threaded(application(self.service), self.socket, self.service.settings.bounds)
        self._threaded.start()
        return self

    def stop(self) -> bool:
        """Refuse new requests, answer those under way, then close; whether all were answered in time."""
        done = self.service.close(self.service.settings.bounds.drain)
        self._threaded.stop()
        return done
