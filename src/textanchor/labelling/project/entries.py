"""The items of a project, with what was decided and proposed of each."""

from __future__ import annotations

import difflib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypedDict

import numpy as np

from textanchor.data.held import found_again, held_as
from textanchor.database import CHUNK, Database, marks
from textanchor.errors import InputError
from textanchor.labelling.project.classes import Classes
from textanchor.labelling.project.log import split
from textanchor.labelling.project.records import STATUSES, Entry, Overview, Proposed, State
from textanchor.records import Item

Order = Literal["number", "surest", "least-sure", "random"]
_ORDERS = {
    "number": "i.item",
    "surest": "p.probability DESC, i.item",
    "least-sure": "p.probability, i.item",
    "random": "i.rank",
}
_COLUMNS = (
    "i.item, i.id, i.modality, i.path, i.held, i.grp, i.content, i.fields, s.status, s.classes, s.people, s.disagree, "
    "e.who, e.at, e.kind, p.classes, p.probability, p.run, p.through"
)
_JOINED = (
    "FROM items i LEFT JOIN states s ON s.item = i.item LEFT JOIN events e ON e.event = s.event "
    "LEFT JOIN proposals p ON p.item = i.item WHERE i.row IS NOT NULL"
)


class Simple(TypedDict, total=False):
    """The fields of `Wanted` as keywords."""

    status: str | None
    label: str | None
    proposed: str | None
    through: bool | None
    modality: str | None
    group: str | None
    disagree: bool | None
    ids: Sequence[str] | None
    after: int
    limit: int | None
    order: Order


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """Which items: those that pass everything that is not None. `label` and `proposed` are keys of classes, `after` is the
    number of an item behind which to go on, in the order of numbers."""

    status: str | None = None
    label: str | None = None
    proposed: str | None = None
    through: bool | None = None
    modality: str | None = None
    group: str | None = None
    disagree: bool | None = None
    ids: Sequence[str] | None = None
    after: int = 0
    limit: int | None = None
    order: Order = "number"

    def __post_init__(self) -> None:
        """Raises `InputError` for a status or an order that nobody knows."""
        if self.status not in (None, *STATUSES):
            raise InputError(f"no status is called '{self.status}' (known: {', '.join(STATUSES)})")
        if self.order not in _ORDERS:
            raise InputError(f"no order is called '{self.order}' (known: {', '.join(_ORDERS)})")


class Entries:
    """Reads items from a file."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._classes = Classes(database)

    def one(self, name: str) -> Entry:
        """The item of that id. Raises `InputError` with the nearest id."""
        return self.of(self.numbers([name]))[0]

    def of(self, numbers: Sequence[int]) -> list[Entry]:
        """The items of these numbers, in that order."""
        found: dict[int, Entry] = {}
        for start in range(0, len(numbers), CHUNK):
            some = numbers[start : start + CHUNK]
            found |= {one.number: one for one in self._read(f"AND i.item IN ({marks(some)})", some)}
        return [found[number] for number in numbers if number in found]

    def numbers(self, ids: Sequence[str]) -> list[int]:
        """The numbers of items, in that order. Raises `InputError` for one that is not there, with the nearest id."""
        found: dict[str, int] = {}
        for start in range(0, len(ids), CHUNK):
            some = ids[start : start + CHUNK]
            told = self._database.ask(f"SELECT id, item FROM items WHERE row IS NOT NULL AND id IN ({marks(some)})", *some)
            found |= {str(name): int(number) for name, number in told}
        for name in ids:
            if name not in found:
                raise InputError(self._missing(name))
        return [found[name] for name in ids]

    def all(self, wanted: Wanted) -> list[Entry]:
        """Items that pass."""
        conditions, values = self._conditions(wanted)
        entries = self._read(
            f"{conditions} AND i.item > ? ORDER BY {_ORDERS[wanted.order]} LIMIT ?",
            [*values, wanted.after, -1 if wanted.limit is None else wanted.limit],
        )
        if wanted.ids is None:
            return entries
        place = {name: row for row, name in enumerate(wanted.ids)}
        return sorted(entries, key=lambda one: place[one.id]) if wanted.order == "number" else entries

    def overview(self) -> Overview:
        """All items as arrays."""
        place = {number: row for row, number in enumerate(self._classes.numbers().values())}
        told = self._database.ask(
            "SELECT i.item, i.id, i.modality, s.status, s.classes, p.classes, p.probability, p.through FROM items i "
            "LEFT JOIN states s ON s.item = i.item LEFT JOIN proposals p ON p.item = i.item "
            "WHERE i.row IS NOT NULL ORDER BY i.row"
        )
        columns: list[tuple[Any, ...]] = list(zip(*told, strict=True)) or [()] * 8
        with self._database.sound():
            return Overview(
                numbers=np.array(columns[0], dtype=np.int64),
                ids=tuple(columns[1]),
                modalities=tuple(columns[2]),
                statuses=np.array([STATUSES.index(one or "open") for one in columns[3]], dtype=np.int8),
                label=_first(columns[4], place),
                proposal=_first(columns[5], place),
                probability=np.array([np.nan if one is None else one for one in columns[6]], dtype=np.float32),
                through=np.array([bool(one) for one in columns[7]], dtype=bool),
            )

    def _conditions(self, wanted: Wanted) -> tuple[str, list[object]]:
        found: list[tuple[str, object]] = []
        if wanted.status is not None:
            found.append(("coalesce(s.status, 'open') = ?", wanted.status))
        for column, key in (("s", wanted.label), ("p", wanted.proposed)):
            if key is not None:
                found.append((f"',' || {column}.classes || ',' LIKE ?", f"%,{self._classes.known([key])[0]},%"))
        for column, value in (("i.modality", wanted.modality), ("i.grp", wanted.group)):
            if value is not None:
                found.append((f"{column} = ?", value))
        for column, told in (("p.through", wanted.through), ("s.disagree", wanted.disagree)):
            if told is not None:
                found.append((f"coalesce({column}, 0) = ?", int(told)))
        if wanted.ids is not None:
            found.append(("i.id IN (SELECT value FROM json_each(?))", json.dumps(list(wanted.ids))))
        return "".join(f" AND {condition}" for condition, _ in found), [value for _, value in found]

    def _read(self, condition: str, values: Sequence[object]) -> list[Entry]:
        keys = {number: key for key, number in self._classes.numbers().items()}
        told = self._database.ask(f"SELECT {_COLUMNS} {_JOINED} {condition}", *values)
        with self._database.sound():
            return [_entry(row, keys) for row in told]

    def _missing(self, name: str) -> str:
        known = [one for (one,) in self._database.ask("SELECT id FROM items WHERE row IS NOT NULL LIMIT 20000")]
        near = [one for one in known if one.endswith(f"/{name}")][:1] or difflib.get_close_matches(name, known[:2000], n=1)
        hint = f"; did you mean '{near[0]}'?" if near else "; list them: textanchor label list"
        return f"the project holds no item '{name}'{hint}"


def _entry(row: tuple[Any, ...], keys: dict[int, str]) -> Entry:
    number, name, modality, path, held, group, content, fields, *rest = row
    status, classes, people, disagree, who, at, kind, proposed, probability, run, through = rest
    item = Item(
        id=name,
        modality=modality,
        path=None if path is None else found_again(path),
        value=None if held is None else held_as(held),
        fields=json.loads(fields),
    )
    state = State()
    if status is not None:
        named = tuple(keys[one] for one in split(classes))
        state = State(status=status, classes=named, who=who, at=at, kind=kind, people=people, disagree=bool(disagree))
    return Entry(
        number=number,
        id=name,
        modality=modality,
        item=item,
        group=group,
        content=content,
        fields=item.fields,
        state=state,
        proposed=None
        if proposed is None
        else Proposed(
            classes=tuple(keys[one] for one in split(proposed)), probability=probability, run=run, through=bool(through)
        ),
    )


def _first(classes: Sequence[str | None], place: dict[int, int]) -> np.ndarray:
    return np.array([place[split(one)[0]] if one else -1 for one in classes], dtype=np.int32)
