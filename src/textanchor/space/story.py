"""What was done to make a space: one story a call of `fit`, so that every figure can be traced and every fit repeated."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from textanchor.config import versions
from textanchor.data.wording import Wording, wording
from textanchor.records import Skipped
from textanchor.records.showing import short
from textanchor.runtime import Splitting


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """What a fit was asked for: everything that decides its result, beside the pairs."""

    __repr__ = short

    anchor: str
    encoders: Mapping[str, str]
    aligner: str
    splitting: Splitting
    video: str | None = None
    shared_view: bool = False
    wording: Wording = field(default_factory=Wording)

    def described(self) -> dict[str, Any]:
        """JSON-ready."""
        return {
            "anchor": self.anchor,
            "encoders": dict(self.encoders),
            "aligner": self.aligner,
            "seed": self.splitting.seed,
            "fractions": list(self.splitting.fractions),
            "resplit": self.splitting.resplit,
            "split_name": self.splitting.name,
            "video": self.video,
            "shared_view": self.shared_view,
            "wording": self.wording.described(),
        }

    @classmethod
    def read(cls, told: Mapping[str, Any]) -> Recipe:
        """From `described`'s values. Raises `KeyError` if one is missing, as in spaces of format 1."""
        splitting = Splitting(
            seed=int(told["seed"]), fractions=told["fractions"], resplit=bool(told["resplit"]), name=told["split_name"]
        )
        return cls(
            anchor=str(told["anchor"]),
            encoders={str(name): str(spec) for name, spec in told["encoders"].items()},
            aligner=str(told["aligner"]),
            splitting=splitting,
            video=told["video"],
            shared_view=bool(told["shared_view"]),
            wording=wording(**told["wording"]),
        )


@dataclass(frozen=True, kw_only=True)
class Counted:
    """One modality's numbers on one side of a split; `lone_items` and `lone_texts` have no partner."""

    items: int
    texts: int
    groups: int
    lone_items: int = 0
    lone_texts: int = 0


@dataclass(frozen=True, kw_only=True)
class Story:
    """One call of `fit`: its pairs by name and by hash, the split, what was left out, remarks, and the versions of what did it.

    `counts` are by modality and side; `recipe` is None for spaces that an older version wrote.
    """

    __repr__ = short

    source: str
    data: str
    split: str
    notes: tuple[str, ...] = ()
    counts: Mapping[str, Mapping[str, Counted]] = field(default_factory=dict)
    skipped: tuple[Skipped, ...] = ()
    recipe: Recipe | None = None
    remarks: tuple[str, ...] = ()
    versions: Mapping[str, str] = field(default_factory=versions)

    @property
    def modalities(self) -> tuple[str, ...]:
        """What was fitted."""
        return tuple(self.counts)

    @property
    def loose(self) -> bool:
        """Whether items and texts were there, and no pair of them."""
        sides = [one for by_side in self.counts.values() for one in by_side.values()]
        return any(one.lone_items for one in sides) and not any(one.items for one in sides)

    def described(self) -> dict[str, Any]:
        """JSON-ready."""
        return {
            "source": self.source,
            "data": self.data,
            "split": self.split,
            "notes": list(self.notes),
            "counts": {name: {side: asdict(one) for side, one in sides.items()} for name, sides in self.counts.items()},
            "skipped": [asdict(one) for one in self.skipped],
            "settings": self.recipe.described() if self.recipe else None,
            "remarks": list(self.remarks),
            "versions": dict(self.versions),
        }

    @classmethod
    def read(cls, told: Mapping[str, Any]) -> Story:
        """From `described`'s values."""
        settings = told.get("settings")
        return cls(
            source=str(told["source"]),
            data=str(told["data"]),
            split=str(told["split"]),
            notes=tuple(str(note) for note in told["notes"]),
            counts={
                str(name): {str(side): Counted(**count) for side, count in sides.items()}
                for name, sides in told["counts"].items()
            },
            skipped=tuple(Skipped(**one) for one in told["skipped"]),
            recipe=Recipe.read(settings) if settings and "split_name" in settings else None,
            remarks=tuple(str(remark) for remark in told.get("remarks", ())),
            versions=dict(told.get("versions", {})),
        )
