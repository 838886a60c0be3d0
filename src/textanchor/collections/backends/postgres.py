"""A connection to PostgreSQL with pgvector: opened when it is needed, errors in one line and without the password."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from threading import RLock
from typing import Any

from textanchor.errors import InputError, MissingError

TIMEOUT = "10"  # seconds until a server that does not answer is given up, unless the URL says another figure


class Session:
    """One connection, opened again where it was lost; threads take turns.

    Raises `MissingError` without the libraries, `InputError` for a URL that PostgreSQL's own library does not read.
    """

    def __init__(self, url: str) -> None:
        self._psycopg, self._register = _libraries()
        try:
            told = self._psycopg.conninfo.conninfo_to_dict(url)
        except self._psycopg.Error:  # its words repeat what it could not read, a password included
            raise InputError("url is no address of a PostgreSQL database; expected postgresql://user@host:5432/name") from None
        self._secret = str(told.get("password") or "")
        self._told = {"connect_timeout": TIMEOUT, "application_name": "textanchor", **told}
        self._connection: Any = None
        self._turn = RLock()
        self.version: tuple[int, ...] = ()

    def __repr__(self) -> str:
        place = self._told.get("host") or self._told.get("hostaddr") or "localhost"
        return f"PostgreSQL at {place}, database {self._told.get('dbname') or 'of the user'}"

    @contextmanager
    def transaction(self) -> Iterator[Any]:
        """A cursor whose work is done as a whole or not at all. Raises `InputError` for what the server refuses."""
        with self._turn:
            try:
                connection = self._opened()
                with connection.transaction(), connection.cursor(binary=True) as cursor:
                    yield cursor
            except self._psycopg.errors.UndefinedTable:
                raise InputError(f"{self}: the index's table is gone; load the index or build it again") from None
            except self._psycopg.Error as why:
                raise InputError(f"{self}: {self._without_secret(why)}") from None

    def close(self) -> None:
        """It is opened again when it is needed."""
        if self._connection is not None:
            self._connection.close()

    def _opened(self) -> Any:
        if self._connection is None or self._connection.closed:
            self._connection = self._psycopg.connect(**self._told, autocommit=True)
            self.version = self._extension()
            self._register(self._connection)
        return self._connection

    def _extension(self) -> tuple[int, ...]:
        """pgvector's version in this database, brought in if this user may. Raises `InputError`."""
        asked = "SELECT extversion FROM pg_extension WHERE extname = 'vector'"
        if (found := self._connection.execute(asked).fetchone()) is None:
            try:
                self._connection.execute("CREATE EXTENSION IF NOT EXISTS vector")
            except self._psycopg.Error as why:
                told = (
                    f"{self} has no pgvector ({self._without_secret(why)}); let an administrator run: CREATE EXTENSION vector"
                )
                raise InputError(told) from None
            found = self._connection.execute(asked).fetchone()
        return tuple(int(part) for part in re.findall(r"\d+", found[0])[:2])

    def _without_secret(self, why: Exception) -> str:
        text = " ".join(str(why).split())
        return text.replace(self._secret, "***") if self._secret else text


def _libraries() -> tuple[Any, Any]:
    try:
        import psycopg
        from pgvector.psycopg import register_vector
    except ImportError:
        raise MissingError("pgvector's client is not installed; get it with: pip install 'textanchor[postgres]'") from None
    return psycopg, register_vector
