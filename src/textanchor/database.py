"""A file of ours in SQLite: known by its sign, brought up to date in numbered steps, for several threads and processes."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from threading import RLock
from typing import Any

from textanchor.errors import DamagedError, InputError, TextAnchorError

WAIT = 60.0  # seconds that a connection waits for another one's commit
CHUNK = 500  # values of one statement


@dataclass(frozen=True, kw_only=True)
class Kind:
    """What a file is: a word for people, its `sign` (SQLite's `application_id`), and the steps that bring it up to date, a
    script each."""

    word: str
    sign: int
    migrations: tuple[str, ...]


class Database:
    """One connection, used by one thread at a time; what was committed is on disk.

    A file that may only be read is read as it is. Raises `DamagedError` for a file that is none of ours, damaged, or of a newer
    version.
    """

    def __init__(self, file: Path, kind: Kind, *, create: bool = False) -> None:
        self.file, self._kind = file, kind
        self._turn = RLock()
        try:
            self._connection = _opened(file)
            _brought_up(self._connection, file, kind, create=create)
        except (sqlite3.DatabaseError, UnicodeDecodeError) as why:
            raise DamagedError(f"{file} cannot be read as a {kind.word} ({why}); restore it, or make it anew") from None

    def close(self) -> None:
        """No more is asked."""
        with self._turn:
            self._connection.close()

    def ask(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        """All rows of an answer. Raises `InputError` where the disk is full, `DamagedError` where the file is damaged."""
        with self._turn, self._told():
            return self._connection.execute(statement, values).fetchall()

    def ask_each(self, statement: str, rows: Iterable[Sequence[object]]) -> None:
        """The same statement for many rows of values; within `writing`."""
        with self._turn, self._told():
            self._connection.executemany(statement, rows)

    def one(self, statement: str, *values: object) -> Any:
        """The first value of an answer; None if there is none."""
        found = self.ask(statement, *values)
        return found[0][0] if found else None

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Everything within happens together, or nothing of it; within another, with all of that."""
        with self._turn:
            if self._within():
                yield
                return
            self.ask("BEGIN IMMEDIATE")
            try:
                yield
                self.ask("COMMIT")
            except BaseException:
                if self._within():
                    self._connection.execute("ROLLBACK")
                raise

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Everything within sees one state, whatever others commit meanwhile."""
        with self._turn:
            if self._within():
                yield
                return
            self.ask("BEGIN")
            try:
                yield
            finally:
                with suppress(sqlite3.Error):  # of a damaged file what went wrong before is what matters
                    self._connection.execute("COMMIT")

    @contextmanager
    def sound(self) -> Iterator[None]:
        """What is read within is made sense of; raises `DamagedError` where that fails, since only we wrote it."""
        try:
            yield
        except TextAnchorError:
            raise
        except (KeyError, IndexError, TypeError, ValueError, OverflowError) as why:
            what = f"{type(why).__name__}: {why}"
            raise DamagedError(
                f"{self.file}: this {self._kind.word} holds something that was not written so ({what[:80]}); restore it"
            ) from None

    @property
    def state(self) -> tuple[int, int]:
        """Other numbers when another connection has committed, or this one has changed anything."""
        return int(self.one("PRAGMA data_version")), self._connection.total_changes

    def fact(self, name: str, default: str = "") -> str:
        """Something that was noted in the table `facts` (name, value)."""
        found = self.ask("SELECT value FROM facts WHERE name = ?", name)
        return str(found[0][0]) if found else default

    def note(self, name: str, value: str) -> None:
        """Note something."""
        self.ask("INSERT INTO facts VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value", name, value)

    def _within(self) -> bool:
        """Whether a transaction is open."""
        return self._connection.in_transaction

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.OperationalError as why:
            raise InputError(f"{self.file}: {why}; nothing was changed") from None
        except (sqlite3.DatabaseError, UnicodeDecodeError) as why:
            raise DamagedError(f"{self.file}: this {self._kind.word} is damaged ({why}); restore it, or make it anew") from None


def marks(values: Sequence[object]) -> str:
    """A question mark a value."""
    return ", ".join("?" * len(values))


def _opened(file: Path) -> sqlite3.Connection:
    """Autocommit: transactions are begun by name. Foreign keys are checked, and what was committed is on disk."""
    connection = sqlite3.connect(file, timeout=WAIT, isolation_level=None, check_same_thread=False)
    try:
        _in_wal(connection)
    except sqlite3.OperationalError:
        connection.close()
        if os.access(file, os.W_OK) and os.access(file.parent, os.W_OK):
            raise
        # nothing may be written, not even the journal's files
        connection = sqlite3.connect(
            f"{file.absolute().as_uri()}?immutable=1", uri=True, isolation_level=None, check_same_thread=False
        )
    for pragma in ("synchronous = FULL", "foreign_keys = ON", "temp_store = MEMORY", "trusted_schema = OFF"):
        connection.execute(f"PRAGMA {pragma}")
    return connection


def _in_wal(connection: sqlite3.Connection) -> None:
    """SQLite waits for nobody while the journal's mode changes, which happens once in a file's life."""
    until = time.monotonic() + WAIT
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as why:
            if "locked" not in str(why) or time.monotonic() > until:
                raise
            time.sleep(0.02)


def _brought_up(connection: sqlite3.Connection, file: Path, kind: Kind, *, create: bool) -> None:
    sign, version, empty = _state(connection)
    if sign != kind.sign and not (empty and create):
        raise DamagedError(f"{file} was not written by textanchor; name another place")
    if version > len(kind.migrations):
        raise DamagedError(
            f"{file} has version {version}, this textanchor knows {len(kind.migrations)}; upgrade: pip install -U textanchor"
        )
    if version == len(kind.migrations):
        return
    connection.execute("BEGIN IMMEDIATE")
    try:
        for step in kind.migrations[_state(connection)[1] :]:  # which another process may have taken meanwhile
            for statement in statements(step):
                connection.execute(statement)
        connection.execute(f"PRAGMA application_id = {kind.sign}")
        connection.execute(f"PRAGMA user_version = {len(kind.migrations)}")
        connection.execute("COMMIT")
    except BaseException:
        connection.execute("ROLLBACK")
        raise


def statements(script: str) -> Iterator[str]:
    """A script's statements one by one, those of several parts (triggers) whole."""
    waiting = ""
    for part in script.split(";"):
        waiting += f"{part};"
        if sqlite3.complete_statement(waiting):
            if waiting.strip(" \n;"):
                yield waiting
            waiting = ""


def _state(connection: sqlite3.Connection) -> tuple[int, int, bool]:
    """Whose the file is, its version, and whether it holds nothing."""
    empty = not connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]  # first: another may fill it meanwhile
    sign, version = (connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("application_id", "user_version"))
    return sign, version, empty
