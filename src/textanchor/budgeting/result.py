"""What a budget found, and the files that say so."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from textanchor.budgeting.advice import Advice
from textanchor.budgeting.spots import Contrast, Crossing, Spot, contrasts, crossings
from textanchor.config import versions


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What all cells of a budget share: the data and conditions by hash, the split, the side that judges, remarks, versions."""

    data: str
    conditions: Mapping[str, str]
    split: str
    judged: str
    sizes: Mapping[str, int]
    notes: Sequence[str] = ()
    versions: Mapping[str, str] = field(default_factory=versions)

    def described(self) -> dict[str, Any]:
        """JSON-ready."""
        return {
            "data": self.data,
            "conditions": dict(self.conditions),
            "split": self.split,
            "judged on": self.judged,
            "judging items": dict(self.sizes),
            "notes": list(self.notes),
            "versions": dict(self.versions),
        }


@dataclass(frozen=True, kw_only=True)
class Budget:
    """Quality by method and number of pairs, one `Spot` each, advice by modality, and what could not be fitted, and why.

    `folder` is None where nothing was written.
    """

    facts: Facts
    spots: Sequence[Spot]
    advice: Mapping[str, Advice]
    failed: Sequence[str] = ()
    folder: Path | None = None

    def __repr__(self) -> str:
        return f"Budget({len(self.spots)} spots; {self.text})"

    @cached_property
    def contrasts(self) -> list[Contrast]:
        """Paired differences of every two methods on every share."""
        return contrasts(self.spots)

    @cached_property
    def crossings(self) -> list[Crossing]:
        """Where one method overtakes another."""
        return list(crossings(self.contrasts))

    @property
    def text(self) -> str:
        """The advice in words, a line a modality."""
        return "\n".join(one.text for one in self.advice.values())

    def rows(self) -> list[dict[str, Any]]:
        """A plain row a method and share."""
        return [spot.row() for spot in self.spots]

    def metrics(self) -> dict[str, Any]:
        """JSON-ready: everything."""
        return {
            **self.facts.described(),
            "advice": [one.row() for one in self.advice.values()],
            "rows": self.rows(),
            "differences": [one.row() for one in self.contrasts],
            "crossovers": [{**vars(one), "text": one.text} for one in self.crossings],
            "failed": list(self.failed),
        }
