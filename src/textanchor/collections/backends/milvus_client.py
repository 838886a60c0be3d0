"""A connection to Milvus or Milvus Lite: opened when it is needed, errors in one line and without the password."""

from __future__ import annotations

import atexit
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock
from typing import Any
from urllib.parse import unquote, urlsplit

from textanchor.errors import InputError, MissingError, TextAnchorError
from textanchor.files import located

TIMEOUT = 10.0  # seconds until a server that does not answer is given up
SCHEMES = {"milvus": "http", "http": "http", "https": "https"}


class Client:
    """One connection for all threads. `url` is `http(s)://user:password@host:19530`, the same with `milvus://`, or a path
    ending in .db. Raises `MissingError` without pymilvus, `InputError` for another url."""

    def __init__(self, url: str) -> None:
        self._pymilvus = _library()
        self._address = _address(url)
        self._client: Any = None
        self._over = False
        self._opening = Lock()

    def __repr__(self) -> str:
        return f"Milvus at {self._address['uri']}"

    @property
    def types(self) -> Any:
        """Names of field types."""
        return self._pymilvus.DataType

    @contextmanager
    def calls(self) -> Iterator[Any]:
        """The client. Raises `InputError` for what Milvus refuses."""
        try:
            yield self._opened()
        except TextAnchorError:
            raise
        except Exception as why:  # gRPC's and the client's own classes, which have no root in common
            secret = str(self._address.get("password") or "")
            text = " ".join(str(getattr(why, "message", "") or why).split())[:300]
            raise InputError(f"{self}: {text.replace(secret, '***') if secret else text}") from None

    def close(self) -> None:
        """It is opened again when it is needed."""
        if self._client is not None:
            atexit.unregister(self._end)
            self._client.close()
            self._client = None

    def _opened(self) -> Any:
        with self._opening:
            if self._over:
                raise InputError(f"{self} has ended with the process")
            if self._client is None:
                self._client = self._pymilvus.MilvusClient(**self._address, timeout=TIMEOUT)
                atexit.register(self._end)
            return self._client

    def _end(self) -> None:
        """Milvus Lite answers no more when a process ends, and would be waited for."""
        self._client, self._over = None, True


def _address(url: str) -> dict[str, str]:
    if "://" not in url:
        file = located(url)
        if file.suffix != ".db" or not file.absolute().parent.is_dir():
            raise InputError(f"url {url} is no place for Milvus Lite; expected a file ending in .db in a folder that is there")
        return {"uri": str(file)}
    told = urlsplit(url)
    if told.scheme not in SCHEMES or not told.hostname:
        raise InputError("url is no address of a Milvus server; expected http://user@host:19530")
    port = f":{told.port}" if told.port else ""
    uri = f"{SCHEMES[told.scheme]}://{told.hostname}{port or ':19530'}"
    return {"uri": uri, "user": unquote(told.username or ""), "password": unquote(told.password or "")}


def _library() -> Any:
    try:
        import pymilvus
    except ImportError:
        raise MissingError("Milvus's client is not installed; get it with: pip install 'textanchor[milvus]'") from None
    for name in ("pymilvus.decorators", "pymilvus.milvus_client.milvus_client"):
        logging.getLogger(name).setLevel(logging.CRITICAL)  # what it logs it raises too, and then it is ours to say
    return pymilvus
