"""A server of the space on a free port, under the same rules with shorter times and smaller bodies, and all attacks on it."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from textanchor.serve.fetching import Fetcher
from textanchor.serve.running import Running, listening
from textanchor.serve.selftest.attacks import PUBLIC_NAME, attacks
from textanchor.serve.selftest.table import Line
from textanchor.serve.selftest.victim import Victim
from textanchor.serve.service import Service
from textanchor.serve.settings import MIB, Access, Batching, Bounds, Settings
from textanchor.serve.shelves import Shelf
from textanchor.serve.tokens import new_token
from textanchor.space import Space

BOUNDS = Bounds(body=4 * MIB, item=2 * MIB, items=64, head=1.0, body_grace=0.6, drain=5.0)
PUBLIC_ADDRESS = "93.184.215.14"
FETCHED = 64 << 10


def attacked(space: Space, shelves: dict[str, Shelf], *, notice: Callable[[Line], None] | None = None) -> list[Line]:
    """A line an attack, and one that says whether honest requests are answered after all of them."""
    with _elsewhere() as fetcher:
        listens, access = listening(Access(tokens=(new_token(),), port=0))
        settings = Settings(access=access, bounds=BOUNDS, batching=Batching(), urls=True)
        service = Service(space, "selftest", settings, shelves, fetcher=fetcher)
        server = Running(service, listens).start()
        victim = Victim(access.port, access.tokens[0])
        lines = []
        try:
            for attack in attacks(BOUNDS, space.kinds):
                line = Line(attack.name, attack.expected, attack.attempt(victim))
                lines.append(line)
                if notice is not None:
                    notice(line)
            lines.append(Line("an honest request after all of them", "200", victim.post({"input": "a"})))
        finally:
            server.stop()
        return lines


@contextmanager
def _elsewhere() -> Iterator[Fetcher]:
    """A fetcher to which one name is in the internet; whoever speaks to its address reaches a server that means no good."""
    with socket.create_server(("127.0.0.1", 0)) as listens:
        threading.Thread(target=_mean, args=(listens,), daemon=True).start()
        port = listens.getsockname()[1]

        def resolve(host: str, _port: int) -> list[str]:
            known = {PUBLIC_NAME: PUBLIC_ADDRESS, "localhost": "127.0.0.1"}
            if host not in known:
                raise OSError("no such host")
            return [known[host]]

        def connect(address: str, _port: int, seconds: float) -> socket.socket:
            if address != PUBLIC_ADDRESS:
                raise AssertionError(f"a connection to {address}")
            return socket.create_connection(("127.0.0.1", port), timeout=seconds)

        yield Fetcher(most=FETCHED, seconds=2.0, resolve=resolve, connect=connect)


def _mean(listens: socket.socket) -> None:
    """Redirects to where nobody should be led, and content without end."""
    with suppress(OSError):
        while True:
            stream, _ = listens.accept()
            with stream, suppress(OSError):
                path = stream.recv(4096).split(b" ")[1].decode()
                stream.sendall(_MEAN.get(path, b"HTTP/1.1 404 No\r\n\r\n"))
                while path == "/endless":
                    stream.sendall(bytes(4096))


def _redirect(place: str) -> bytes:
    return f"HTTP/1.1 302 Found\r\nLocation: {place}\r\nContent-Length: 0\r\n\r\n".encode()


_MEAN = {
    "/private": _redirect("http://127.0.0.1/"),
    "/file": _redirect("file:///etc/passwd"),
    "/again": _redirect("/again"),
    "/endless": b"HTTP/1.1 200 OK\r\n\r\n",
}
