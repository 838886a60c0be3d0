"""Where people and machine differ, and where people differ from each other and from themselves."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from jaxtyping import Int

from textanchor.labelling.care import Agreement, Couple, agreement, repeated
from textanchor.labelling.care.agreement import MISSING
from textanchor.labelling.project import Decision, Project
from textanchor.labelling.project.log import STANDS, split
from textanchor.metrics.interval import Interval, wilson

RANDOM = "drawn"  # the way to come by an item that favours none; audits draw from what the machine is surest of
NOTHING = "none of these"


@dataclass(frozen=True, kw_only=True)
class Share:
    """How many of how many, with a 95 % score interval; no share of nothing."""

    right: int
    items: int

    @property
    def share(self) -> float | None:
        """From 0 to 1."""
        return self.right / self.items if self.items else None

    @property
    def interval(self) -> Interval | None:
        """As if items were independent."""
        return wilson(self.right / self.items, self.items) if self.items else None

    def says(self) -> str:
        """In words."""
        if self.share is None or self.interval is None:
            return "not known yet"
        low, high = self.interval
        return f"{self.share:.1%} ({self.right} of {self.items}; 95 %: {low:.1%} to {high:.1%})"


@dataclass(frozen=True, kw_only=True)
class Compared:
    """People against the proposals that stood when they decided: `proposed` of items drawn at random that were proposed right,
    and `pairs` (proposed, said) of all that were not, by how often."""

    proposed: Share
    pairs: tuple[tuple[str, str, int], ...]


@dataclass(frozen=True, kw_only=True)
class Agreed:
    """How far people agree with each other, and each who was asked once more with himself (`care.agreement`)."""

    people: Agreement
    repeats: tuple[Couple, ...]


def compared(project: Project) -> Compared:
    """By the log: what was undone does not count, nor who is unsure."""
    keys = {number: key for key, number in _numbers(project).items()}
    told = project.database.ask(
        "SELECT proposed, classes, kind, how FROM events e WHERE proposed != '' AND kind IN ('label', 'accept', 'other', "
        f"'none') AND {STANDS}"
    )
    drawn = [(proposed, said) for proposed, said, _, how in told if how == RANDOM]
    wrong = Counter((proposed, said if kind != "none" else "") for proposed, said, kind, _ in told if proposed != said)
    named = [(_named(one, keys), _named(other, keys), count) for (one, other), count in wrong.most_common()]
    return Compared(proposed=Share(right=sum(one == other for one, other in drawn), items=len(drawn)), pairs=tuple(named))


def agreed(decisions: Iterable[Decision]) -> Agreed:
    """By each person's last decision on each item that stands; sets of classes are compared whole, unsure ones say nothing."""
    said: dict[str, dict[str, list[Decision]]] = {}
    for decision in decisions:
        if not decision.undone and decision.kind not in ("undo", "take", "unsure"):
            said.setdefault(decision.item, {}).setdefault(decision.who, []).append(decision)
    opinions = {opinion: place for place, opinion in enumerate(_opinions(said))}
    people = sorted({who for item in said.values() for who in item})
    ratings = np.full((len(said), len(people)), MISSING, dtype=np.int64)
    again: dict[str, list[tuple[int, int]]] = {}
    for row, item in enumerate(said.values()):
        for who, said_by in item.items():
            ratings[row, people.index(who)] = opinions[_opinion(said_by[-1])]
            for then, now in pairwise(said_by):
                if now.how == "repeat":
                    again.setdefault(who, []).append((opinions[_opinion(then)], opinions[_opinion(now)]))
    own = [_with_himself(who, np.array(pairs)) for who, pairs in sorted(again.items())]
    return Agreed(people=agreement(ratings, people), repeats=tuple(one for one in own if one is not None))


def _with_himself(who: str, pairs: Int[np.ndarray, "n 2"]) -> Couple | None:
    return repeated(pairs[:, 0], pairs[:, 1], who)


def _opinions(said: Mapping[str, Mapping[str, list[Decision]]]) -> dict[tuple[str, ...], None]:
    return dict.fromkeys(_opinion(one) for item in said.values() for own in item.values() for one in own)


def _opinion(decision: Decision) -> tuple[str, ...]:
    return tuple(sorted(decision.classes)) or (NOTHING,)


def _numbers(project: Project) -> Mapping[str, int]:
    return {key: int(number) for key, number in project.database.ask("SELECT key, class FROM classes")}


def _named(classes: str, keys: Mapping[int, str]) -> str:
    return "|".join(keys[number] for number in split(classes)) or NOTHING
