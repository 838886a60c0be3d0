"""What the decisions on an item come to. No file is touched here."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from textanchor.labelling.project.records import NAMING

DRAWN = {"drawn": 1, "vouched": 2}  # asked at random by us; said to have been drawn at random by whoever gave it


@dataclass(frozen=True, kw_only=True)
class Event:
    """A row of the log."""

    event: int
    item: int
    kind: str
    classes: str
    who: str
    how: str
    undoes: int | None


@dataclass(frozen=True, kw_only=True)
class Settled:
    """A row of the table of states."""

    status: str
    classes: str
    event: int
    people: int
    disagree: bool
    drawn: int


def settled(events: Iterable[Event], rule: str) -> Settled | None:
    """The state that an item's events come to; None if it is open.

    What was undone does not count. Of each person the last decision counts, of several people's the last or that of the
    majority. Who is unsure has no say where others have; where no person decided, what was taken over last counts. To take
    no class is to give the machine's back.
    """
    known = list(events)
    undone = {one.undoes for one in known}
    standing = [one for one in known if one.event not in undone and one.kind != "undo"]
    people = [one for one in standing if one.kind != "take"]
    latest = {one.who: one for one in people}
    firm = [one for one in latest.values() if one.kind != "unsure"]
    taken = [one for one in standing if one.kind == "take"][-1:]
    counts = firm or list(latest.values()) or taken
    if not counts or (counts == taken and not taken[0].classes):
        return None
    last = max(_majority(counts) if rule == "majority" else counts, key=lambda one: one.event)
    return Settled(
        status=_status(last),
        classes=last.classes,
        event=last.event,
        people=len(latest),
        disagree=len({_opinion(one) for one in firm}) > 1,
        drawn=max((DRAWN.get(one.how, 0) for one in people), default=0),
    )


def _opinion(event: Event) -> str:
    return event.classes if event.kind in NAMING else event.kind


def _majority(counts: list[Event]) -> list[Event]:
    """The decisions of the most frequent opinion, or of several that are equally frequent."""
    opinions = [_opinion(one) for one in counts]
    most = max(map(opinions.count, opinions))
    return [one for one, opinion in zip(counts, opinions, strict=True) if opinions.count(opinion) == most]


def _status(event: Event) -> str:
    if event.kind == "take":
        return "machine"
    return "label" if event.kind in NAMING else event.kind
