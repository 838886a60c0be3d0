"""What an export says of each item: how it stands, and every decision that was made on it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from textanchor.errors import InputError
from textanchor.labelling.formats.placing import Placing, placing
from textanchor.labelling.project import Class, Decision, Entry, Project

_FIELDS = ("event", "kind", "classes", "who", "at", "how", "undoes")


@dataclass(frozen=True, kw_only=True)
class Labels:
    """Items with their decisions, the oldest first, the classes, and how items and files are called outside."""

    entries: tuple[Entry, ...]
    decisions: Mapping[str, tuple[Decision, ...]]
    classes: tuple[Class, ...]
    multi: bool
    placing: Placing


def labels_of(project: Project, *, only_decided: bool = False) -> Labels:
    """Everything of one state; `only_decided` leaves out items that are open."""
    with project.database.reading():
        entries = project.entries()
        log = project.history()
        classes, multi = project.classes, project.settings.multi
    decisions: dict[str, list[Decision]] = {}
    for one in log:
        decisions.setdefault(one.item, []).append(one)
    return Labels(
        entries=tuple(one for one in entries if not only_decided or one.state.status != "open"),
        decisions={name: tuple(found) for name, found in decisions.items()},
        classes=classes,
        multi=multi,
        placing=placing(project.database, entries),
    )


def standing(decisions: Iterable[Decision]) -> list[Decision]:
    """Of each person the decision that counts, the oldest first."""
    latest: dict[str, Decision] = {}
    for one in decisions:
        if not one.undone and one.kind not in ("undo", "take"):
            latest.pop(one.who, None)
            latest[one.who] = one
    return list(latest.values())


def as_json(decisions: Sequence[Decision]) -> list[dict[str, Any]]:
    """Decisions as JSON holds them."""
    return [{name: getattr(one, name) for name in _FIELDS} for one in decisions]


def from_json(item: str, told: Any, place: str) -> list[Decision]:
    """The decisions again. Raises `InputError` for anything else."""
    try:
        held = json.loads(told) if isinstance(told, str) else told
        return [
            Decision(
                event=int(one["event"]),
                item=item,
                kind=str(one["kind"]),
                classes=tuple(map(str, one["classes"])),
                who=str(one["who"]),
                at=str(one["at"]),
                how=str(one["how"]),
                undoes=None if one["undoes"] is None else int(one["undoes"]),
            )
            for one in held
        ]
    except (ValueError, KeyError, TypeError):
        raise InputError(f"{place}: the decisions on '{item}' are not as an export writes them; mend that row") from None
