"""How a project works, as it stands in its file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

from textanchor import registry
from textanchor.database import Database
from textanchor.errors import InputError
from textanchor.labelling.project.log import Log
from textanchor.labelling.project.queueing import strategy_of
from textanchor.labelling.project.records import SETTINGS, Settings
from textanchor.labelling.project.starting import SETTINGS as HELD

FIXED = ("multi", "seed")  # what labels and the random order rest on


def settings_of(database: Database) -> Settings:
    """What was noted; what an older file does not say is the default."""
    with database.sound():
        held: Any = json.loads(database.fact(HELD, "{}"))
        return Settings(**{name: value for name, value in held.items() if name in SETTINGS})


def changed(database: Database, settings: Mapping[str, Any]) -> Settings:
    """Note other settings; the states follow another rule. Within `writing`. Raises `InputError` for what cannot be changed."""
    free = tuple(one for one in SETTINGS if one not in FIXED)
    for name in settings:
        if name not in free:
            raise InputError(f"'{name}' is no setting that can be changed (these can: {', '.join(free)})")
    before = settings_of(database)
    now = replace(before, **settings)
    strategy_of(now.strategy)
    if now.proposer != Settings.proposer:
        registry.part("proposer", now.proposer)
    database.note(HELD, json.dumps(asdict(now)))
    if now.rule != before.rule:
        Log(database).settle_all(rule=now.rule)
    return now
