"""Runs of the machine, as they stand in a project's file."""

from __future__ import annotations

import json
from dataclasses import fields
from typing import Any

from textanchor.database import Database
from textanchor.labelling.project.configuring import settings_of
from textanchor.labelling.project.log import Log
from textanchor.labelling.project.records import Run

NAMES = {one.name for one in fields(Run)} - {"run", "at", "certificate"}


def runs_of(database: Database) -> list[Run]:
    """All runs, the oldest first."""
    told = database.ask("SELECT run, at, told, certificate FROM runs ORDER BY run")
    with database.sound():
        return [_run(number, at, json.loads(held), certificate) for number, at, held, certificate in told]


def newest_run(database: Database) -> Run | None:
    """The last one; None before the first."""
    told = database.ask("SELECT run, at, told, certificate FROM runs ORDER BY run DESC LIMIT 1")
    with database.sound():
        return next((_run(number, at, json.loads(held), certificate) for number, at, held, certificate in told), None)


def otherwise(database: Database) -> int:
    """Of how many labels that the newest run stood on people say something else now, or nothing."""
    with database.sound():
        event = int(database.one("SELECT json_extract(told, '$.event') FROM runs ORDER BY run DESC LIMIT 1") or 0)
    return Log(database).otherwise(event, rule=settings_of(database).rule) if event else 0


def _run(number: int, at: str, held: Any, certificate: str) -> Run:
    """What an older version did not write has its default."""
    known = {name: value for name, value in held.items() if name in NAMES}
    return Run(run=number, at=at, certificate=certificate, **{**known, "says": tuple(map(str, held["says"]))})
