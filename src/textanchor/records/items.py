"""Items, their pairs with texts, and what their files hold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float32

from textanchor.escaping import legible, writable
from textanchor.records.components import components
from textanchor.records.showing import counted, short

Field = str | int | float | bool
NO_FIELDS: Mapping[str, Field] = {}


@dataclass(frozen=True, kw_only=True)
class Waveform:
    """Mono sound: samples in [-1, 1] and their rate in Hz."""

    __repr__ = short

    samples: Float32[np.ndarray, " t"]
    rate: int

    @property
    def seconds(self) -> float:
        """Length."""
        return len(self.samples) / self.rate


@dataclass(frozen=True, kw_only=True)
class Series:
    """Numbers over time: values [t, channels], evenly spaced and finite, and their rate in Hz (None: unknown)."""

    __repr__ = short

    values: Float32[np.ndarray, "t c"]
    rate: float | None = None


@dataclass(frozen=True, kw_only=True)
class Clip:
    """A video as read: frames (PIL images) and the sound track, either of which may be missing."""

    __repr__ = short

    frames: tuple[Any, ...] = ()
    sound: Waveform | None = None


@runtime_checkable
class Held(Protocol):
    """The bytes of a file that stands within another, such as a cell of a table; fetched when they are needed."""

    def read(self) -> bytes:
        """All of them. Raises `ValueError` or `OSError`."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Item:
    """One thing of one modality: a file (`path`), or a value in memory (text, PIL image, `Waveform`, array), or a file that
    stands in a table (`Held`).

    `part` names a piece of a file of another modality, such as `video:frame:uniform:4:0`, the first of a video's four frames.
    `fields` are what its table says beside; they make no other item of it.
    """

    __repr__ = short

    id: str
    modality: str
    path: Path | None = None
    value: Any = None
    part: str = ""
    fields: Mapping[str, Field] = field(default_factory=lambda: NO_FIELDS, compare=False)

    def __post_init__(self) -> None:
        """Names of any bytes and texts with lone surrogates become what UTF-8 can hold; `path` stays as it is."""
        _settle(self, "id", writable(self.id))
        if isinstance(self.value, str):
            _settle(self, "value", legible(self.value))


@dataclass(frozen=True, kw_only=True)
class Pair:
    """An item and a text that describes it. `group` is what never stands on two sides of a split."""

    __repr__ = short

    item: Item
    text: str
    group: str | None = None
    split: str | None = None

    def __post_init__(self) -> None:
        """Texts and names become what UTF-8 can hold."""
        _settle(self, "text", legible(self.text))
        _settle(self, "group", self.group and writable(self.group))


@dataclass(frozen=True, kw_only=True)
class Single:
    """An item without a text, or a text without an item, of one modality; a text may be of any (None)."""

    __repr__ = short

    item: Item | None = None
    text: str | None = None
    modality: str | None = None
    group: str | None = None
    split: str | None = None

    def __post_init__(self) -> None:
        """Raises `ValueError` unless there is either an item, of that modality, or a text."""
        if (self.item is None) == (self.text is None):
            raise ValueError("a single has either an item or a text")
        if self.item is not None and self.modality != self.item.modality:
            raise ValueError(f"the item is of {self.item.modality}, not of {self.modality}")
        _settle(self, "text", self.text and legible(self.text))
        _settle(self, "group", self.group and writable(self.group))


@dataclass(frozen=True, kw_only=True)
class Skipped:
    """One row or item that was left out, and why; `absent`: a part that its file does not have, which is no fault."""

    item: str
    reason: str
    absent: bool = False

    def __post_init__(self) -> None:
        """The name becomes what UTF-8 can hold."""
        _settle(self, "item", writable(self.item))
        _settle(self, "reason", writable(self.reason))


def _settle(record: object, name: str, value: object) -> None:
    """Set a field of a frozen record while it is made."""
    if getattr(record, name) is not value:
        object.__setattr__(record, name, value)


def first_of(skipped: Sequence[Skipped]) -> str:
    """The end of a message that nothing remained: how many were left out, and why the first was."""
    return f"; the first of {len(skipped)} skipped: {skipped[0].item}: {skipped[0].reason}" if skipped else ""


@dataclass(frozen=True, kw_only=True)
class Pairs:
    """A table of pairs as read: rows in order, what was skipped, and the name of a split that breaks groups on purpose.

    `singles` are its rows that have no partner. `source` is its name, `place` where it lies; None if it was made in memory.
    `taken` says in a line each what was taken for what, `renamed` holds names from which underscores were taken, and how they
    were written. `tables` are the tables that were joined to this one, whose rows are theirs; nothing for a single table.
    """

    rows: tuple[Pair, ...]
    singles: tuple[Single, ...] = ()
    skipped: tuple[Skipped, ...] = ()
    split_name: str | None = None
    source: str = "memory"
    place: Path | None = None
    taken: tuple[str, ...] = ()
    renamed: Mapping[str, str] = field(default_factory=dict)
    tables: tuple[Pairs, ...] = ()

    def __repr__(self) -> str:
        texts = len({pair.text for pair in self.rows})
        more = f"; {len(self.singles)} without a partner" if self.singles else ""
        more += f"; {len(self.skipped)} skipped" if self.skipped else ""
        kinds = counted(item.modality for item in self.items)
        return f"Pairs({len(self.rows)} pairs of {kinds or 'no item'} with {texts} texts{more}; from {self.source})"

    @cached_property
    def items(self) -> tuple[Item, ...]:
        """Distinct items that have a text, in order of first appearance."""
        return tuple({pair.item.id: pair.item for pair in self.rows}.values())

    @cached_property
    def lone_items(self) -> tuple[Item, ...]:
        """Distinct items without a text, in order of first appearance."""
        return tuple({single.item.id: single.item for single in self.singles if single.item is not None}.values())

    @cached_property
    def lone_texts(self) -> tuple[str, ...]:
        """Distinct texts without an item, in order of first appearance."""
        return tuple(dict.fromkeys(single.text for single in self.singles if single.text is not None))

    @cached_property
    def modalities(self) -> tuple[str, ...]:
        """Modalities of the pairs, in order of first appearance."""
        return tuple(dict.fromkeys(pair.item.modality for pair in self.rows))

    @cached_property
    def groups(self) -> Mapping[str, tuple[str, ...]]:
        """Item id -> the groups that its rows name."""
        named: dict[str, set[str]] = {}
        rows: list[Pair | Single] = [*self.rows, *self.singles]
        for row in rows:
            if row.group and row.item is not None:
                named.setdefault(row.item.id, set()).add(row.group)
        return {item: tuple(sorted(groups)) for item, groups in named.items()}

    @cached_property
    def joined_groups(self) -> Mapping[str, str]:
        """Item id -> one name for all of its groups, and for those that other items of several groups join to them."""
        least = components(self.groups.values())
        return {item: least[groups[0]] for item, groups in self.groups.items()}

    def only(self, modality: str) -> Pairs:
        """The same table with one modality's rows; a text without an item that names no modality belongs to each."""
        return Pairs(
            rows=tuple(pair for pair in self.rows if pair.item.modality == modality),
            singles=tuple(single for single in self.singles if single.modality in (None, modality)),
            split_name=self.split_name,
            source=self.source,
            place=self.place,
            taken=self.taken,
            renamed=self.renamed,
            tables=tuple(table.only(modality) for table in self.tables),
        )

    @cached_property
    def origins(self) -> Mapping[str, str]:
        """Item id -> the table that it is of, by name."""
        tables = self.tables or (self,)
        return {item.id: table.source for table in tables for item in (*table.items, *table.lone_items)}
