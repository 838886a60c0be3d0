"""What a search finds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import overload

from textanchor.records.items import NO_FIELDS, Field, Item
from textanchor.records.showing import short


@dataclass(frozen=True, kw_only=True)
class Hit:
    """One result. `score` is the cosine under the view in which query and hit are compared, in [-1, 1], plus the view's
    hubness bias.

    `p` is the share of chance pairs of the two modalities that score as high, `percentile` the share in percent that scores
    lower; both are None where nothing is known of chance. `above`: it stands above the line. `path` is None for a text or a
    value in memory, `place` is where its vector stands among those of its modality, `fields` is what its table says of it,
    `duplicates` are ids of hits that show the same, `parts` is what each part of the query adds to the score.
    """

    __repr__ = short

    rank: int
    id: str
    modality: str
    score: float
    path: Path | None
    item: Item = field(repr=False, compare=False)
    place: int = field(repr=False, compare=False)
    p: float | None = None
    percentile: float | None = None
    above: bool | None = None
    fields: Mapping[str, Field] = field(default_factory=lambda: NO_FIELDS)
    duplicates: tuple[str, ...] = ()
    parts: tuple[float, ...] = ()


@dataclass(frozen=True)
class Hits(Sequence[Hit]):
    """Hits, best first, of `total` items that were searched.

    `line` hits of all that were found stand above the line: of these at most the share `level` is expected to be there by
    chance. None where nothing is known of chance. With `at_least` there may be more of them: no more hits were looked at.
    """

    hits: tuple[Hit, ...] = ()
    total: int = 0
    line: int | None = None
    level: float = 0.1
    at_least: bool = False

    def __repr__(self) -> str:
        told = "no line" if self.line is None else f"{self.line} above the line"
        return f"Hits({len(self.hits)} of {self.total} items, {told})"

    def __len__(self) -> int:
        return len(self.hits)

    @overload
    def __getitem__(self, place: int) -> Hit: ...

    @overload
    def __getitem__(self, place: slice) -> Sequence[Hit]: ...

    def __getitem__(self, place: int | slice) -> Hit | Sequence[Hit]:
        return self.hits[place]

    def __iter__(self) -> Iterator[Hit]:
        return iter(self.hits)

    @property
    def nothing_relevant(self) -> bool:
        """Whether no hit stands above the line, and there is one."""
        return self.line == 0
