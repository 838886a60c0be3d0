"""What an item without a file of its own holds, written down to be found again: a text, a place in a table or archive."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from textanchor.data.folders.archives import Member
from textanchor.data.tables.arrow import Cell
from textanchor.errors import DamagedError
from textanchor.escaping import writable, written_back


def told_of(value: Any) -> str | None:
    """As JSON; None for what lies in memory only."""
    if isinstance(value, str):
        told: Any = {"text": value}
    elif isinstance(value, Cell):
        told = {"cell": [writable(str(value.file.absolute())), value.group, value.row, *value.place]}
    elif isinstance(value, Member):
        told = {"member": [writable(str(value.file.absolute())), writable(value.name)]}
    else:
        return None
    return json.dumps(told, ensure_ascii=False)


def held_as(told: str) -> Any:
    """What `told_of` was given. Raises `DamagedError` for anything else."""
    try:
        ((kind, value),) = json.loads(told).items()
        if kind == "text":
            return str(value)
        if kind == "cell":
            file, group, row, *place = value
            return Cell(file=found_again(file), group=int(group), row=int(row), place=tuple(map(str, place)))
        file, name = value
        return Member(file=found_again(file), name=written_back(name))
    except (ValueError, TypeError, AttributeError):
        raise DamagedError(f"'{told[:60]}' is no item's place; sync the collection again") from None


def found_again(told: str) -> Path:
    """The file whose `writable` name this is."""
    path = Path(told)
    return path if path.exists() else Path(written_back(told))


def container(value: Any) -> Path | None:
    """The file in which it lies, if it does."""
    return value.file if isinstance(value, Cell | Member) else None
