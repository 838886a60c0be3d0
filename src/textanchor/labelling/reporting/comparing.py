"""Where people and machine differ, and where people differ from each other and from themselves."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise

from textanchor.labelling.project import Decision, Project
from textanchor.labelling.project.log import split
from textanchor.metrics.interval import Interval, wilson

RANDOM = ("drawn", "audit")  # ways to come by an item that favour none
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
class Agreement:
    """Of items that two people decided on, how many they decide alike; of items that one person was asked twice, how many the
    same way; and by pair of people."""

    people: Share
    repeats: Share
    pairs: Mapping[tuple[str, str], Share]


def compared(project: Project) -> Compared:
    """By the log: what was undone does not count, nor who is unsure."""
    keys = {number: key for key, number in _numbers(project).items()}
    told = project.database.ask(
        "SELECT proposed, classes, kind, how FROM events e WHERE proposed != '' AND kind IN ('label', 'accept', 'other', "
        "'none') AND NOT EXISTS (SELECT 1 FROM events u WHERE u.undoes = e.event)"
    )
    drawn = [(proposed, said) for proposed, said, _, how in told if how in RANDOM]
    wrong = Counter((proposed, said if kind != "none" else "") for proposed, said, kind, _ in told if proposed != said)
    named = [(_named(one, keys), _named(other, keys), count) for (one, other), count in wrong.most_common()]
    return Compared(proposed=Share(right=sum(one == other for one, other in drawn), items=len(drawn)), pairs=tuple(named))


def agreement(decisions: Iterable[Decision]) -> Agreement:
    """By each person's decisions on each item, all that stand: unsure ones say nothing."""
    said: dict[str, dict[str, list[Decision]]] = {}
    for decision in decisions:
        if not decision.undone and decision.kind not in ("undo", "take", "unsure"):
            said.setdefault(decision.item, {}).setdefault(decision.who, []).append(decision)
    repeats: Counter[bool] = Counter()
    pairs: Counter[tuple[str, str, bool]] = Counter()
    for people in said.values():
        for own in people.values():
            again = ((then, now) for then, now in pairwise(own) if now.how == "repeat")
            repeats.update(_opinion(then) == _opinion(now) for then, now in again)
        for one, other in combinations(sorted(people), 2):
            pairs[one, other, _opinion(people[one][-1]) == _opinion(people[other][-1])] += 1
    by_pair = {
        (one, other): Share(right=pairs[one, other, True], items=pairs[one, other, True] + pairs[one, other, False])
        for one, other in sorted({(one, other) for one, other, _ in pairs})
    }
    return Agreement(
        people=Share(right=sum(one.right for one in by_pair.values()), items=sum(one.items for one in by_pair.values())),
        repeats=Share(right=repeats[True], items=repeats.total()),
        pairs=by_pair,
    )


def _opinion(decision: Decision) -> Sequence[str]:
    return sorted(decision.classes) or (NOTHING,)


def _numbers(project: Project) -> Mapping[str, int]:
    return {key: int(number) for key, number in project.database.ask("SELECT key, class FROM classes")}


def _named(classes: str, keys: Mapping[int, str]) -> str:
    return "|".join(keys[number] for number in split(classes)) or NOTHING
