"""What a space holds of each modality, what it has seen, and what it gives back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from torch import nn

from textanchor.records import Choice, Item, Skipped, Vectors, View


@dataclass(frozen=True, kw_only=True)
class Fitted:
    """One modality of a space. `report` says how its projector came about."""

    encoder: str
    fingerprint: str
    projector: nn.Module
    view: View | None
    report: Mapping[str, Any]

    @property
    def chosen(self) -> str:
        """What was chosen, and on what: numbers, view and correction of hubness."""
        return Choice.read(self.report).text


@dataclass(frozen=True, kw_only=True)
class Seen:
    """What a space was fitted and selected on: content hashes and groups, each with its side ("train" or "val")."""

    contents: Mapping[str, str] = field(default_factory=dict)
    groups: Mapping[str, str] = field(default_factory=dict)

    def merged(self, other: Seen) -> Seen:
        """Both together; "train" wins where the two differ."""
        sides = []
        for mine, others in ((self.contents, other.contents), (self.groups, other.groups)):
            train = {key: "train" for held in (mine, others) for key, side in held.items() if side == "train"}
            sides.append({**mine, **others, **train})
        return Seen(contents=sides[0], groups=sides[1])


@dataclass(frozen=True, kw_only=True)
class Embedded:
    """Raw vectors of the items that could be embedded, in the order given, and those that could not."""

    items: tuple[Item, ...]
    vectors: Vectors
    contents: tuple[str, ...]
    skipped: tuple[Skipped, ...]
    cached: int = 0
    new: int = 0
