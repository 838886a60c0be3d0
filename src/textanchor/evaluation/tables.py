"""The figures of several spaces on the same pairs, as rows of tables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from textanchor.evaluation.held_out import HELD_OUT, Judged
from textanchor.judging import Difference, Ranking, difference, judge
from textanchor.records.showing import short
from textanchor.space import Space

ALIGNMENT, EMERGENT = "alignment", "emergent"


@dataclass(frozen=True, kw_only=True)
class Row:
    """One line of a table: which space was measured on which split, and what came out."""

    __repr__ = short

    table: str
    space: str
    split: str
    ranking: Ranking

    @property
    def key(self) -> tuple[str, str, str]:
        """What two spaces' rows must share to be compared."""
        return self.table, self.split, self.ranking.name

    def described(self) -> dict[str, Any]:
        """JSON-ready."""
        return {"space": self.space, "split": self.split, **self.ranking.row()}


def rows(spaces: Mapping[str, Space], judged: Judged) -> Iterator[Row]:
    """Every space's rankings on every split."""
    for split, pairs in judged.pairs.items():
        for name, space in spaces.items():
            figures = judge(space.geometry, pairs)
            for table, rankings in ((ALIGNMENT, figures.alignment), (EMERGENT, figures.emergent)):
                for ranking in rankings:
                    yield Row(table=table, space=name, split=split, ranking=ranking)


@dataclass(frozen=True, kw_only=True)
class Gain:
    """By how much the main space's `mine` is better than another space's row for the same queries."""

    mine: Row
    than: str
    difference: Difference

    def described(self) -> dict[str, Any]:
        """JSON-ready."""
        ranking = self.mine.ranking
        asked = {"query": ranking.query, "gallery": ranking.gallery}
        return {"table": self.mine.table, "split": self.mine.split, **asked, "than": self.than, **self.difference.row()}


def gains(rows: Sequence[Row], main: str) -> list[Gain]:
    """Paired held-out differences of recall@1 between the main space and each other one, with a 95 % interval over groups."""
    ours = {row.key: row for row in rows if row.space == main}
    compared = []
    for row in rows:
        mine = ours.get(row.key)
        if row.space == main or row.split != HELD_OUT or mine is None:
            continue
        gain = difference(mine.ranking, row.ranking)
        if gain is not None:
            compared.append(Gain(mine=mine, than=row.space, difference=gain))
    return compared
