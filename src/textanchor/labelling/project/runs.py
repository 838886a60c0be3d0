"""Runs of the machine, as they stand in a project's file."""

from __future__ import annotations

import json
from typing import Any

from textanchor.database import Database
from textanchor.labelling.project.records import Run


def runs_of(database: Database) -> list[Run]:
    """All runs, the oldest first."""
    found = []
    for number, at, told, certificate in database.ask("SELECT run, at, told, certificate FROM runs ORDER BY run"):
        held: Any = json.loads(told)
        found.append(Run(run=number, at=at, certificate=certificate, **{**held, "says": tuple(held["says"])}))
    return found
