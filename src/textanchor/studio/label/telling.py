"""A project's items and progress as the page shows them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from textanchor.labelling.pool import Probabilities
from textanchor.labelling.project import Entry
from textanchor.runtime import Limits
from textanchor.studio.cards import Card, card_of
from textanchor.studio.sources import Labelling

LIKELY = 5  # classes told of an item


@dataclass(frozen=True, kw_only=True)
class Told:
    """An item: its card, what was decided, what is proposed, and which classes are likely, with probabilities."""

    key: str
    card: Card
    status: str
    classes: tuple[str, ...]
    proposed: tuple[str, ...]
    probability: float | None
    likely: tuple[tuple[str, float], ...]


class Teller:
    """Tells of a project's items. Probabilities of all items are large: they are read once a run."""

    def __init__(self, source: Labelling, limits: Limits) -> None:
        self._source, self._limits = source, limits
        self._state: tuple[int, int] | None = None
        self._known: tuple[dict[int, int], Probabilities | None] = ({}, None)

    def told(self, entries: Sequence[Entry]) -> list[Told]:
        """One a card, in order."""
        rows, probabilities = self._probabilities()
        names = [one.key for one in self._source.project.classes]
        return [self._one(entry, names, rows, probabilities) for entry in entries]

    def _one(self, entry: Entry, names: list[str], rows: dict[int, int], probabilities: Probabilities | None) -> Told:
        key = self._source.key(entry.number, entry.id)
        likely: tuple[tuple[str, float], ...] = ()
        if probabilities is not None and entry.number in rows:
            own = probabilities[rows[entry.number]]
            best = np.argsort(-own, kind="stable")[: LIKELY if np.isfinite(own).all() else 0].tolist()
            likely = tuple((names[place], round(float(own[place]), 4)) for place in best)
        proposed = entry.proposed
        return Told(
            key=key,
            card=card_of(self._source, key, entry.item, self._source.public_id(entry.id), self._limits),
            status=entry.state.status,
            classes=entry.state.classes,
            proposed=() if proposed is None else proposed.classes,
            probability=None if proposed is None else round(proposed.probability, 4),
            likely=likely,
        )

    def _probabilities(self) -> tuple[dict[int, int], Probabilities | None]:
        """Rows by number, and the probabilities; None where there are none that fit."""
        run = self._source.project.run
        state = (0 if run is None else run.run, len(self._source.project.classes))
        if state != self._state:
            found = self._source.project.probabilities()
            numbers = self._source.project.overview().numbers.tolist() if found is not None else []
            self._known = {number: row for row, number in enumerate(numbers)}, found
            self._state = state
        return self._known
