"""What a labelling project tells and is told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Literal, TypedDict, get_args

import numpy as np
from jaxtyping import Bool, Float32, Int

from textanchor.errors import InputError
from textanchor.records import Item
from textanchor.records.items import Field

Status = Literal["open", "label", "none", "unsure", "machine"]
Kind = Literal["label", "accept", "other", "none", "unsure", "take", "import", "undo"]
How = Literal["drawn", "chosen", "audit", "repeat", "picked", "bulk", "promise", "import", "vouched"]
Stream = Literal["mixed", "drawn", "chosen", "audit"]
STATUSES, KINDS, HOWS, STREAMS = get_args(Status), get_args(Kind), get_args(How), get_args(Stream)
NAMING = ("label", "accept", "other", "import")  # kinds by which a person names classes
RULES = ("last", "majority")
LONGEST_LEASE = 366 * 24 * 3600.0  # seconds


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How a project works.

    `multi`: an item may have several classes. `rule`: of several people's decisions the `last` counts, or that of the
    `majority` (of equal ones the last). `drawn`: the share of asks that are drawn at random, without which no promise can be
    made; `repeats`: the share that repeats, unsaid, what was decided before, to measure agreement. `lease`: seconds for
    which an item that was given to somebody is given to nobody else. `strategy` chooses the other asks, `proposer` proposes
    (`auto`: the best by cross-validation), `seed` fixes the random order.
    """

    multi: bool = False
    rule: str = "last"
    drawn: float = 0.5
    repeats: float = 0.0
    lease: float = 600.0
    strategy: str = "spread-then-margin"
    proposer: str = "auto"
    seed: int = 0

    def __post_init__(self) -> None:
        """Raises `InputError` for what cannot be meant."""
        if self.rule not in RULES:
            raise InputError(f"rule={self.rule}: expected {' or '.join(RULES)}")
        for name in ("drawn", "repeats"):
            if not 0 <= getattr(self, name) <= 1:
                raise InputError(f"{name}={getattr(self, name)}: expected a share between 0 and 1")
        if not 0 < self.lease <= LONGEST_LEASE or self.seed < 0:
            raise InputError(
                f"lease={self.lease}, seed={self.seed}: expected seconds above 0 and at most a year, and a seed of at least 0"
            )


SETTINGS = tuple(one.name for one in fields(Settings))


@dataclass(frozen=True, kw_only=True)
class Class:
    """A class: the `key` by which it is known, which never changes, and what it means in words."""

    key: str
    text: str


@dataclass(frozen=True, kw_only=True)
class State:
    """What the decisions on an item come to: `open`, a person's `label`, `none` of the classes, `unsure`, or the `machine`'s
    class, taken over without a look. `who`, `at` and `kind` are of the decision that counts; `people` have decided on the
    item, and `disagree` if their decisions differ."""

    status: str = "open"
    classes: tuple[str, ...] = ()
    who: str = ""
    at: str = ""
    kind: str = ""
    people: int = 0
    disagree: bool = False


@dataclass(frozen=True, kw_only=True)
class Proposed:
    """The machine's class of an item, how probable it is, by which run, and whether the promise lets it through."""

    classes: tuple[str, ...]
    probability: float
    run: int
    through: bool


@dataclass(frozen=True, kw_only=True)
class Entry:
    """An item as the project has it. `number` is its own for ever; what lay in memory only has no value any more."""

    number: int
    id: str
    modality: str
    item: Item
    group: str
    content: str
    fields: Mapping[str, Field]
    state: State
    proposed: Proposed | None


@dataclass(frozen=True, kw_only=True)
class Ask:
    """An item that somebody is to decide on, how it was come by, and until when (UTC) nobody else is given it."""

    entry: Entry
    how: str
    until: str


def several(classes: Sequence[str]) -> tuple[str, ...]:
    """Classes as they are given. Raises `InputError` for one str, which would be a class a letter."""
    if isinstance(classes, str):
        raise InputError(f"classes='{classes}': expected a list of classes, such as ['{classes}']")
    return tuple(classes)


@dataclass(frozen=True, kw_only=True)
class Choice:
    """What somebody decides of an item: a `label`, `accept` of what is proposed, an `other` class than that, `none` of the
    classes, or that one is `unsure`."""

    item: str
    kind: str = "label"
    classes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Decision:
    """An event of the log. `undoes` names the event that it takes back; `undone` says whether it was taken back itself."""

    event: int
    item: str
    kind: str
    classes: tuple[str, ...]
    who: str
    at: str
    how: str
    undoes: int | None = None
    undone: bool = False


@dataclass(frozen=True, kw_only=True)
class Progress:
    """How far the work is: numbers of items, and by class and person.

    `labelled` by people, `drawn` of them at random, of which `counting` may say how often the machine is wrong: those before
    which hardly any other of the random order was left out (`frontier`). `through` are let through by the newest promise,
    `acceptable` those of them that are still open. Of `otherwise` labels that this run stood on people say something else now,
    or nothing: then nothing is taken over by its promise. `classes` and `machine_classes` count labels by people and the
    machine.
    """

    items: int
    open: int
    labelled: int
    machine: int
    none: int
    unsure: int
    disagreements: int
    drawn: int
    counting: int
    proposed: int
    through: int
    acceptable: int
    otherwise: int
    skipped: int
    classes: Mapping[str, int]
    machine_classes: Mapping[str, int]
    people: Mapping[str, int]
    decisions: int


@dataclass(frozen=True, kw_only=True)
class Run:
    """One run of the machine: how it proposed, what was promised, and in `says` plain words for people.

    `accuracy` is of labels drawn at random that the proposer had not seen, None where there were none; `through` items the
    promise lets through, on `trial` if it holds only once an audit says so, `left` are left to people; `certificate` is JSON,
    empty without a promise. `event` is the last of the log that it knew of; 0 where an older version did not say.
    """

    run: int
    at: str
    proposer: str
    accuracy: float | None
    form: str
    level: float
    seed: int
    labelled: int
    through: int
    left: int
    says: tuple[str, ...]
    delta: float = 0.1
    trial: bool = False
    event: int = 0
    certificate: str = ""


class SimplePromise(TypedDict, total=False):
    """The fields of `Promise` as keywords."""

    form: str
    level: float
    delta: float
    seed: int


@dataclass(frozen=True, kw_only=True)
class Overview:
    """All items as arrays, rows as in the project's pool: `statuses` are places in `STATUSES`, `label` and `proposal` places
    in the project's classes (-1: none; of several the first), `probability` is that of the proposal (NaN: none)."""

    numbers: Int[np.ndarray, " n"]
    ids: tuple[str, ...]
    modalities: tuple[str, ...]
    statuses: Int[np.ndarray, " n"]
    label: Int[np.ndarray, " n"]
    proposal: Int[np.ndarray, " n"]
    probability: Float32[np.ndarray, " n"]
    through: Bool[np.ndarray, " n"]


@dataclass(frozen=True, kw_only=True)
class Synced:
    """What a look at the sources found: items that are new, gone, changed in content, or as they were, and what cannot be read.

    Decisions stay with an item whose content has changed.
    """

    new: int
    gone: int
    changed: int
    unchanged: int
    skipped: int


@dataclass(frozen=True, kw_only=True)
class Audited:
    """Of what was taken over, or is on trial until an audit says so: how many people looked at since, in random order, and how
    many were wrong; bounds of the share of wrong ones among those that nobody looked at, both at once except with probability
    `delta`, and whether it is at most `level`: `met`, `refuted` or still `open`. `population` are all of them; `beyond` were
    looked at behind one of that order that is still open, and count once all before them are decided."""

    shown: int
    wrong: int
    share: float
    low: float
    high: float
    population: int
    level: float
    delta: float
    verdict: str
    beyond: int = 0
