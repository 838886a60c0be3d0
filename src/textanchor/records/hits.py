"""What a search finds."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from textanchor.records.showing import short


@dataclass(frozen=True, kw_only=True)
class Hit:
    """One result. `score` is the cosine under the view in which query and hit are compared, in [-1, 1], plus the view's
    hubness bias.

    `standard` is the score in standard deviations above that of random training pairs of the two modalities, by which a list of
    several modalities is ordered; None in a list of one. `path` is None for a text or a value in memory.
    """

    __repr__ = short

    rank: int
    id: str
    modality: str
    score: float
    path: Path | None
    standard: float | None = None
