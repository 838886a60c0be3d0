"""The tables of a collection's file, and the numbered steps that bring an older one up to date.

sources    places that were synced, and how each is read
items      what was found there: what it is, its stamp and content, fields, and why it was left out
stores     a file of vectors a fingerprint and modality; `rows` of it count, of which some may be dead
vectors    where an item's vector stands in a store; `mapped` ones come from another space and are no encoder's
blocks     the sha256 of every 4096 rows of a store
"""

from __future__ import annotations

import os
import sqlite3
import time
from pathlib import Path

from textanchor.errors import DamagedError, InputError

NAME, SIGN = "collection.sqlite", 0x7E7A_C011  # SQLite's `application_id`, by which the file is known for ours
WAIT = 60.0  # seconds that a connection waits for another one's commit

MIGRATIONS = (
    """
    CREATE TABLE facts (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
    CREATE TABLE sources (source INTEGER PRIMARY KEY, place TEXT NOT NULL UNIQUE, reading TEXT NOT NULL);
    CREATE TABLE items (
        row INTEGER PRIMARY KEY AUTOINCREMENT,
        source INTEGER NOT NULL REFERENCES sources,
        id TEXT NOT NULL,
        modality TEXT NOT NULL,
        path TEXT,
        held TEXT,
        size INTEGER,
        changed INTEGER,
        content TEXT,
        fields TEXT NOT NULL DEFAULT '{}',
        reason TEXT,
        tried TEXT,
        UNIQUE (source, id)
    );
    CREATE INDEX by_content ON items (content);
    CREATE TABLE stores (
        store INTEGER PRIMARY KEY,
        fingerprint TEXT NOT NULL,
        modality TEXT NOT NULL,
        dim INTEGER NOT NULL,
        file TEXT NOT NULL,
        rows INTEGER NOT NULL DEFAULT 0,
        UNIQUE (fingerprint, modality)
    );
    CREATE TABLE vectors (
        store INTEGER NOT NULL REFERENCES stores,
        slot INTEGER NOT NULL,
        row INTEGER NOT NULL REFERENCES items,
        PRIMARY KEY (store, slot)
    ) WITHOUT ROWID;
    CREATE UNIQUE INDEX by_row ON vectors (store, row);
    CREATE TABLE blocks (
        store INTEGER NOT NULL REFERENCES stores, block INTEGER NOT NULL, sha256 TEXT NOT NULL, PRIMARY KEY (store, block)
    ) WITHOUT ROWID;
    """,
    "ALTER TABLE vectors ADD COLUMN mapped INTEGER NOT NULL DEFAULT 0;",
)


def connected(file: Path, *, create: bool = False) -> sqlite3.Connection:
    """An open file of the newest version, which several threads may use in turn.

    A folder that may only be read is read as it is. Raises `InputError` if there is none, `DamagedError` for a file that is
    none of ours, damaged, or of a newer version.
    """
    if not create and not file.is_file():
        raise InputError(f"{file.parent} is no collection: it has no {NAME}; make one: textanchor collection add")
    try:
        connection = _opened(file)
        _brought_up(connection, file, create=create)
    except sqlite3.DatabaseError as why:
        raise DamagedError(f"{file} cannot be read as a collection ({why}); restore it, or make it anew") from None
    return connection


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


def _brought_up(connection: sqlite3.Connection, file: Path, *, create: bool) -> None:
    sign, version, empty = _state(connection)
    if sign != SIGN and not (empty and create):
        raise DamagedError(f"{file} was not written by textanchor; name another folder")
    if version > len(MIGRATIONS):
        raise DamagedError(
            f"{file} has version {version}, this textanchor knows {len(MIGRATIONS)}; upgrade: pip install -U textanchor"
        )
    if version == len(MIGRATIONS):
        return
    connection.execute("BEGIN IMMEDIATE")
    try:
        for step in MIGRATIONS[_state(connection)[1] :]:  # which another process may have taken meanwhile
            for statement in filter(str.strip, step.split(";")):
                connection.execute(statement)
        connection.execute(f"PRAGMA application_id = {SIGN}")
        connection.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")
        connection.execute("COMMIT")
    except BaseException:
        connection.execute("ROLLBACK")
        raise


def _state(connection: sqlite3.Connection) -> tuple[int, int, bool]:
    """Whose the file is, its version, and whether it holds nothing."""
    empty = not connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]  # first: another may fill it meanwhile
    sign, version = (connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("application_id", "user_version"))
    return sign, version, empty
