"""What the points of a map may be coloured by: modality, class, status, how unsure the machine is, fields of a table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from textanchor.labelling.project import STATUSES
from textanchor.records import Item
from textanchor.studio.map.gathering import Gathered
from textanchor.studio.sources import Labelling

MOST = 12  # colours that can be told apart; what is rarer is grey
VALUES = 200  # different values from which on a field is no class
STATES = {"open": "open", "label": "labelled", "none": "none of these", "unsure": "unsure", "machine": "taken over"}


@dataclass(frozen=True, kw_only=True)
class Categories:
    """A point's colour by `codes`, places in `values`; -1 is grey."""

    name: str
    values: tuple[str, ...]
    codes: tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class Shades:
    """A point's colour by a number from 0 to 1; None is grey."""

    name: str
    numbers: tuple[float | None, ...]


def of_items(gathered: Gathered) -> list[Categories | Shades]:
    """By modality, and by fields that few values share."""
    return [categories("modality", gathered.modalities), *_fields(gathered.items())]


def of_decisions(source: Labelling, gathered: Gathered) -> list[Categories | Shades]:
    """By the class that people or the machine gave, what is proposed, status, and how likely the proposal is wrong."""
    seen, rows = source.project.overview(), gathered.rows
    names = [one.key for one in source.project.classes]

    def named(places: np.ndarray) -> list[str]:
        return [names[place] if place >= 0 else "" for place in places]

    label, proposal = named(seen.label[rows]), named(seen.proposal[rows])
    wrong = 1 - seen.probability[rows]
    return [
        categories("class", [own or told for own, told in zip(label, proposal, strict=True)]),
        categories("decided", label),
        categories("status", [STATES[STATUSES[place]] for place in seen.statuses[rows]]),
        Shades(name="error", numbers=tuple(None if np.isnan(one) else round(float(one), 3) for one in wrong)),
        categories("modality", gathered.modalities),
    ]


def categories(name: str, values: Sequence[str]) -> Categories:
    """The commonest values, each with a colour; empty ones are grey."""
    known = [value for value, _ in Counter(value for value in values if value).most_common(MOST)]
    place = {value: code for code, value in enumerate(known)}
    return Categories(name=name, values=tuple(known), codes=tuple(place.get(value, -1) for value in values))


def _fields(items: Sequence[Item]) -> Iterator[Categories]:
    for name in dict.fromkeys(name for item in items for name in item.fields):
        values = [str(item.fields.get(name, "")) for item in items]
        if 1 < len(set(values)) <= VALUES:
            yield categories(name, values)
