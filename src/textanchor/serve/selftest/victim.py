"""The server as an attacker sees it: a socket."""

from __future__ import annotations

import http.client
import json
import socket
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

CLOSED = "closed"
PATIENCE = 15.0


@dataclass(frozen=True)
class Victim:
    """Where it listens, and a token that it knows."""

    port: int
    token: str = field(repr=False)
    host: str = "127.0.0.1"

    def post(self, body: object, path: str = "/v1/embeddings", headers: Mapping[str, str] | None = None) -> str:
        """What a request comes to with a JSON body, or with bytes as they are."""
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.raw([self.head("POST", path, {"Content-Length": str(len(raw)), **(headers or {})}), raw])

    def get(self, path: str, headers: Mapping[str, str] | None = None) -> str:
        """What a request comes to without one."""
        return self.raw([self.head("GET", path, headers or {})])

    def head(self, method: str, path: str, headers: Mapping[str, str]) -> bytes:
        """A request's head: with the right Host and token unless `headers` say otherwise; an empty value leaves one out."""
        told = {
            "Host": f"{self.host}:{self.port}",
            "Authorization": f"Bearer {self.token}",
            "Content-Type": "application/json",
            **headers,
        }
        lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in told.items() if value)]
        return "\r\n".join([*lines, "", ""]).encode("latin-1")

    def raw(self, pieces: Iterable[bytes], *, pause: float = 0.0) -> str:
        """What it comes to when so much is sent: a status and a code, or that the connection was closed without an answer."""
        with socket.create_connection((self.host, self.port), timeout=PATIENCE) as stream:
            try:
                for piece in pieces:
                    stream.sendall(piece)
                    time.sleep(pause)
            except OSError:  # it has closed its end, and may have said why
                pass
            return _outcome(stream)


def _outcome(stream: socket.socket) -> str:
    """The status and the code of the error, so that a refusal for another reason shows."""
    got = http.client.HTTPResponse(stream)
    try:
        got.begin()
    except (OSError, http.client.HTTPException):
        return CLOSED
    try:
        return f"{got.status} {json.loads(got.read(1 << 20))['error']['code']}"
    except (OSError, http.client.HTTPException, ValueError, KeyError, TypeError):
        return str(got.status)
