"""What all rows of a bench share, and what was asked of it, call by call."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from textanchor.bench.plan import Grid
from textanchor.config import versions
from textanchor.data.wording import Wording, wording
from textanchor.errors import InputError
from textanchor.records import Skipped
from textanchor.records.showing import short
from textanchor.runtime import Splitting

Agreement = Mapping[str, float | None]


@dataclass(frozen=True, kw_only=True)
class Asked:
    """One call of `compare`: all that decides its rows. `pairs` is where they lay; None if they were made in memory."""

    pairs: str | None
    grid: Grid
    splitting: Splitting
    wording: Wording
    shared_view: bool = False
    trials: int = 0
    baseline: str | None = None

    def described(self) -> dict[str, Any]:
        """JSON-ready."""
        return {
            "pairs": self.pairs,
            "grid": self.grid.described(),
            "seed": self.splitting.seed,
            "fractions": list(self.splitting.fractions),
            "resplit": self.splitting.resplit,
            "split_name": self.splitting.name,
            "wording": self.wording.described(),
            "shared_view": self.shared_view,
            "trials": self.trials,
            "baseline": self.baseline,
        }

    @classmethod
    def read(cls, told: Mapping[str, Any]) -> Asked:
        """From `described`'s values."""
        splitting = Splitting(
            seed=told["seed"], fractions=tuple(told["fractions"]), resplit=told["resplit"], name=told["split_name"]
        )
        return cls(
            pairs=told["pairs"],
            grid=Grid(**told["grid"]),
            splitting=splitting,
            wording=wording(**told["wording"]),
            shared_view=told["shared_view"],
            trials=told["trials"],
            baseline=told["baseline"],
        )


@dataclass(frozen=True, kw_only=True)
class Facts:
    """The data by hash, the split, items by modality and side, what was skipped, and how much latents and texts are alike."""

    __repr__ = short

    data: str
    split: str
    sizes: Mapping[str, Mapping[str, int]]
    notes: Sequence[str] = ()
    skipped: Sequence[Skipped] = ()
    agreement: Mapping[str, Agreement] = field(default_factory=dict)
    asked: Sequence[Asked] = ()
    versions: Mapping[str, str] = field(default_factory=versions)

    def joined(self, later: Facts, folder: Path) -> Facts:
        """The later call's facts with what was asked before. Raises `InputError` if its rows would not be comparable."""
        for key in ("data", "split", "sizes"):
            if getattr(self, key) != getattr(later, key):
                raise InputError(
                    f"{folder} was begun on other data or another split "
                    f"({key}: {getattr(self, key)}, now {getattr(later, key)}); "
                    "rows of both would not be comparable; choose another folder"
                )
        before = [one.described() for one in self.asked]
        asked = [*self.asked, *(one for one in later.asked if one.described() not in before)]
        return replace(later, asked=asked, agreement={**self.agreement, **later.agreement})

    def described(self) -> dict[str, Any]:
        """JSON-ready."""
        return {
            "data": self.data,
            "split": self.split,
            "sizes": {name: dict(sides) for name, sides in self.sizes.items()},
            "notes": list(self.notes),
            "skipped": [asdict(one) for one in self.skipped],
            "agreement": {name: dict(alike) for name, alike in self.agreement.items()},
            "asked": [one.described() for one in self.asked],
            "versions": dict(self.versions),
        }

    @classmethod
    def read(cls, told: Mapping[str, Any]) -> Facts:
        """From `described`'s values. Raises what missing or wrong ones raise."""
        return cls(
            data=told["data"],
            split=told["split"],
            sizes=told["sizes"],
            notes=told["notes"],
            skipped=[Skipped(**one) for one in told["skipped"]],
            agreement=told["agreement"],
            asked=[Asked.read(one) for one in told["asked"]],
            versions=told["versions"],
        )
