"""The tables of a collection's file, and the numbered steps that bring an older one up to date.

sources    places that were synced, and how each is read
items      what was found there: what it is, its stamp and content, fields, and why it was left out
stores     a file of vectors a fingerprint and modality; `rows` of it count, of which some may be dead
vectors    where an item's vector stands in a store; `mapped` ones come from another space and are no encoder's
blocks     the sha256 of every 4096 rows of a store
"""

from __future__ import annotations

from pathlib import Path

from textanchor.database import Database, Kind
from textanchor.errors import InputError

NAME = "collection.sqlite"

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
KIND = Kind(word="collection", sign=0x7E7A_C011, migrations=MIGRATIONS)


def connected(file: Path, *, create: bool = False) -> Database:
    """An open file of the newest version, which several threads may use in turn.

    Raises `InputError` if there is none, and what `Database` raises.
    """
    if not create and not file.is_file():
        raise InputError(f"{file.parent} is no collection: it has no {NAME}; make one: textanchor collection add")
    return Database(file, KIND, create=create)
