"""The figures of several spaces on the same pairs, as rows of tables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from textanchor.evaluation.held_out import HELD_OUT, Judged
from textanchor.judging import Ranking, difference, judge
from textanchor.space import Space

ALIGNMENT, EMERGENT = "alignment", "emergent"


@dataclass(frozen=True, kw_only=True)
class Row:
    """One line of a table: which space was measured on which split, and what came out."""

    table: str
    space: str
    split: str
    ranking: Ranking

    @property
    def key(self) -> tuple[str, str, str]:
        """What two spaces' rows must share to be compared."""
        return self.table, self.split, self.ranking.name

    def plain(self) -> dict[str, Any]:
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


def differences(rows: Sequence[Row], main: str) -> list[dict[str, Any]]:
    """Paired held-out differences of recall@1 between the main space and each other one, with a 95 % interval over groups."""
    ours = {row.key: row for row in rows if row.space == main}
    lines = []
    for row in rows:
        mine = ours.get(row.key)
        if row.space == main or row.split != HELD_OUT or mine is None:
            continue
        gain = difference(mine.ranking, row.ranking)
        if gain is not None:
            asked = {"query": row.ranking.query, "gallery": row.ranking.gallery}
            lines.append({"table": row.table, "split": row.split, **asked, "than": row.space, **gain.row()})
    return lines
