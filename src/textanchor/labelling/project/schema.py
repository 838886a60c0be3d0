"""The tables of a labelling project's file, and the numbered steps that bring an older one up to date.

facts      settings, the space and encoders
sources    where items came from, and how that is read
items      what is to be labelled: what it is, its content, group and fields; its `row` in arrays, none if it is gone; its place
           in the random order
classes    keys that never change, and what they mean in words
events     who decided what, when and how asked; only ever appended, an undo is an event that names another
states     what the events of an item come to; derived, in the same transaction
asks       which item was given to whom, and until when
queue      items that the strategy chose to be asked next
runs       what the machine did: proposer, settings, promise, certificate
proposals  the newest run's class of each item; its turn to be looked at, where an audit comes first
arrays     features, vectors and probabilities in blocks of rows, each with its sha256
"""

from __future__ import annotations

from pathlib import Path

from textanchor.database import Database, Kind
from textanchor.errors import InputError

MIGRATIONS = (
    """
    CREATE TABLE facts (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
    CREATE TABLE sources (source INTEGER PRIMARY KEY, told TEXT NOT NULL);
    CREATE TABLE items (
        item INTEGER PRIMARY KEY AUTOINCREMENT,
        id TEXT NOT NULL UNIQUE,
        source INTEGER NOT NULL REFERENCES sources,
        name TEXT NOT NULL,
        modality TEXT NOT NULL,
        path TEXT,
        held TEXT,
        content TEXT NOT NULL,
        grp TEXT NOT NULL DEFAULT '',
        fields TEXT NOT NULL DEFAULT '{}',
        rank INTEGER NOT NULL,
        row INTEGER UNIQUE,
        UNIQUE (source, name)
    );
    CREATE INDEX by_rank ON items (rank);
    CREATE TABLE skipped (id TEXT PRIMARY KEY, reason TEXT NOT NULL) WITHOUT ROWID;
    CREATE TABLE classes (class INTEGER PRIMARY KEY AUTOINCREMENT, key TEXT NOT NULL UNIQUE, text TEXT NOT NULL);
    CREATE TABLE events (
        event INTEGER PRIMARY KEY AUTOINCREMENT,
        step INTEGER NOT NULL,
        item INTEGER NOT NULL REFERENCES items,
        kind TEXT NOT NULL,
        classes TEXT NOT NULL DEFAULT '',
        who TEXT NOT NULL,
        at TEXT NOT NULL,
        how TEXT NOT NULL,
        undoes INTEGER UNIQUE REFERENCES events,
        run INTEGER,
        proposed TEXT NOT NULL DEFAULT ''
    );
    CREATE INDEX of_item ON events (item);
    CREATE INDEX of_who ON events (who, step);
    CREATE INDEX of_how ON events (how);
    CREATE TRIGGER events_stay BEFORE UPDATE ON events BEGIN SELECT RAISE(ABORT, 'events are only appended'); END;
    CREATE TRIGGER events_last BEFORE DELETE ON events BEGIN SELECT RAISE(ABORT, 'events are only appended'); END;
    CREATE TABLE states (
        item INTEGER PRIMARY KEY REFERENCES items,
        status TEXT NOT NULL,
        classes TEXT NOT NULL,
        event INTEGER NOT NULL REFERENCES events,
        people INTEGER NOT NULL,
        disagree INTEGER NOT NULL,
        drawn INTEGER NOT NULL
    );
    CREATE INDEX by_status ON states (status, item);
    CREATE TABLE asks (
        ask INTEGER PRIMARY KEY AUTOINCREMENT,
        item INTEGER NOT NULL REFERENCES items,
        who TEXT NOT NULL,
        how TEXT NOT NULL,
        until REAL NOT NULL,
        UNIQUE (item, who)
    );
    CREATE TABLE queue (place INTEGER PRIMARY KEY, item INTEGER NOT NULL UNIQUE REFERENCES items);
    CREATE TABLE runs (
        run INTEGER PRIMARY KEY AUTOINCREMENT, at TEXT NOT NULL, told TEXT NOT NULL, certificate TEXT NOT NULL DEFAULT ''
    );
    CREATE TABLE proposals (
        item INTEGER PRIMARY KEY REFERENCES items,
        run INTEGER NOT NULL REFERENCES runs,
        classes TEXT NOT NULL,
        probability REAL NOT NULL,
        through INTEGER NOT NULL
    );
    CREATE TABLE arrays (
        name TEXT NOT NULL,
        block INTEGER NOT NULL,
        kind TEXT NOT NULL,
        rows INTEGER NOT NULL,
        width INTEGER NOT NULL,
        sha256 TEXT NOT NULL,
        data BLOB NOT NULL,
        PRIMARY KEY (name, block)
    );
    """,
    "ALTER TABLE proposals ADD COLUMN turn INTEGER;",
)
KIND = Kind(word="labelling project", sign=0x7E7A_1AB5, migrations=MIGRATIONS)


def connected(file: Path, *, create: bool = False) -> Database:
    """An open file of the newest version. Raises `InputError` if there is none, or with `create` if there is, and what
    `Database` raises."""
    if create and file.exists():
        raise InputError(f"{file} exists already; open it, or name another place for a new project")
    if not create and not file.is_file():
        what = "is a folder, and a project is one file" if file.is_dir() else "does not exist"
        raise InputError(f"{file} {what}; begin a project: textanchor label start {file.name} SOURCE")
    return Database(file, KIND, create=create)
